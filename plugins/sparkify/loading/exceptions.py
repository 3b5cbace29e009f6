"""The errors that a task may fail with."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.loading.shown import masked, shown


class Sentence:
    """
    A message that quotes files and servers, and that any log can take.

    :param told: the same without a value of a file or of a row, for those who are told outside of Airflow; default: the
        message with what stands between quotes masked.
    """

    def __init__(self, message: str, *, told: str | None = None) -> None:
        super().__init__(shown(message, keep="\n"))  # type: ignore[call-arg]  # the exception that it is mixed into
        self.told = shown(masked(message) if told is None else told, keep="\n")


class DataError(Sentence, AirflowFailException):
    """The files, or what was made of them, are wrong; a retry would fail the same way."""


class OverdueError(DataError):
    """Files have not come by their deadline."""


class SettingsError(Sentence, AirflowFailException):
    """A connection, a param or the schema is wrong or incomplete; somebody must fix it."""


class Unavailable(Sentence, AirflowException):
    """The warehouse or S3 did not answer, or gave way to another session; a retry may succeed."""


class TimeLimitError(Sentence, AirflowFailException):
    """The task reached its ``execution_timeout``; a retry would hold a worker as long again."""


class PackageError(Sentence, AirflowFailException):
    """An error that nobody foresaw; a retry would meet it again."""
