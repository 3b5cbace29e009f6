"""The settings that say who gets messages about failures and warnings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from sparkify.loading.connections import check_kind, closest, shown_value
from sparkify.loading.exceptions import SettingsError

ALERTS = "alerts"
EXAMPLE = '{"sns_topic": "arn:aws:sns:us-west-2:123456789012:my-alerts"}'
# name -> (what it may look like, in words)
KEYS: dict[str, tuple[re.Pattern[str], str]] = {
    "sns_topic": (
        re.compile(r"arn:[a-z-]+:sns:[a-z]{2}(-[a-z]+)+-\d:\d{12}:[\w-]{1,256}", re.ASCII),
        "the ARN of an SNS topic, and not a FIFO one, such as arn:aws:sns:us-west-2:123456789012:my-alerts",
    ),
    "slack": (re.compile(r"[\w.:-]{1,250}", re.ASCII), "the id of a connection of the type Slack Incoming Webhook"),
    "smtp": (re.compile(r"[\w.:-]{1,250}", re.ASCII), "the id of a connection of the type SMTP"),
    "mail_to": (
        re.compile(r"[^\s,<>@]+@[^\s,<>@]+(, ?[^\s,<>@]+@[^\s,<>@]+){0,49}", re.ASCII),
        "a mail address, or several with commas between",
    ),
}
# A webhook's address is one, and is easily taken for what belongs here.
OFTEN_A_SECRET = ("slack",)
NOT_SHOWN = "not shown, as it may hold a secret"
PROVIDERS = {"slack": "apache-airflow-providers-slack", "smtp": "apache-airflow-providers-smtp"}


@dataclass(frozen=True)
class Recipients:
    """Who is told. Each may be None.

    :param sns_topic: ARN of a topic of Amazon SNS.
    :param slack: id of a connection with an incoming webhook of Slack.
    :param smtp: id of a connection with a mail server.
    :param mail_to: to whom that sends.
    """

    sns_topic: str | None = None
    slack: str | None = None
    smtp: str | None = None
    mail_to: str | None = None

    @classmethod
    def from_settings(cls, where: str, given: Mapping[str, Any]) -> Recipients:
        """Read from the connection's ``sparkify``; a :class:`SettingsError` names what cannot be meant.

        :param where: which connection and extra that is, for the sentence.
        """
        alerts = given.get(ALERTS)
        if alerts is None:
            return cls()
        where = f"{where}: sparkify.{ALERTS}"
        check_kind(where, alerts, (dict,), EXAMPLE)
        for name in alerts:
            if name not in KEYS:
                meant = closest(name, KEYS)
                hint = f"Did you mean {meant}?" if meant else f"Known are {', '.join(KEYS)}."
                raise SettingsError(f"{where}: {shown_value(name)} is unknown. {hint}")
        values = {name: value for name, value in alerts.items() if value is not None}
        for name, value in values.items():
            pattern, meaning = KEYS[name]
            if not isinstance(value, str) or not pattern.fullmatch(value):
                said = NOT_SHOWN if name in OFTEN_A_SECRET else shown_value(value)
                raise SettingsError(f"{where}.{name} is {said}; expected {meaning}.")
        for name, other in (("smtp", "mail_to"), ("mail_to", "smtp")):
            if name in values and other not in values:
                raise SettingsError(f"{where}: {name} is given without {other}. Give both: {KEYS[other][1]}.")
        for name, package in PROVIDERS.items():
            if name in values and not is_installed(f"airflow.providers.{name}"):
                raise SettingsError(
                    f"{where}.{name} is given, and {package} is not installed here. Install it beside Airflow, or "
                    f"leave {name} out."
                )
        return cls(**values)


def is_installed(module: str) -> bool:
    """Whether there is such a module, which is not imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
