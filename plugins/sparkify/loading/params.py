"""Reads a run's params, which templates have turned into text."""

from __future__ import annotations

from sparkify.loading.exceptions import SettingsError

_FLAGS = {"true": True, "false": False}


def flag(name: str, value: object) -> bool:
    """Whether a param is on.

    :param name: the param, for the sentence.
    :raises SettingsError: it is neither true nor false.
    """
    try:
        return _FLAGS[str(value).lower()]
    except KeyError:
        raise SettingsError(f"{name}={value!r} is neither true nor false; nothing was changed.") from None
