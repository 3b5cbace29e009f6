"""The failures of the local stack that are told to the user as a sentence."""

from __future__ import annotations


class LocalStackError(Exception):
    """Something the local stack cannot do; the message says what happened, why and what to do."""


class StackNotRunningError(LocalStackError):
    """A command needs the stack, and the stack is not up."""


class RunFailedError(LocalStackError):
    """A DAG run that a command waited for did not succeed."""
