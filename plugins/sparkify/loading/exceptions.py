"""Why a task fails. What is not here is a bug."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException, AirflowFailException


class DataError(AirflowFailException):
    """The files, or what was made of them, are wrong; a retry would fail the same way."""


class SettingsError(AirflowFailException):
    """A connection, a param or the schema is wrong or incomplete; somebody must mend it."""


class Unavailable(AirflowException):
    """The warehouse or S3 did not answer, or gave way to another session; a retry may succeed."""
