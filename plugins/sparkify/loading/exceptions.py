"""The errors that a task may fail with."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.loading.shown import shown


class _Sentence:
    """A message that quotes files and servers, and that any log can take."""

    def __init__(self, message: str) -> None:
        super().__init__(shown(message, keep="\n"))  # type: ignore[call-arg]  # the exception that it is mixed into


class DataError(_Sentence, AirflowFailException):
    """The files, or what was made of them, are wrong; a retry would fail the same way."""


class SettingsError(_Sentence, AirflowFailException):
    """A connection, a param or the schema is wrong or incomplete; somebody must fix it."""


class Unavailable(_Sentence, AirflowException):
    """The warehouse or S3 did not answer, or gave way to another session; a retry may succeed."""


class TimeLimitError(_Sentence, AirflowFailException):
    """The task reached its ``execution_timeout``; a retry would hold a worker as long again."""


class PackageError(_Sentence, AirflowFailException):
    """An error that nobody foresaw; a retry would meet it again."""
