"""The failures of the local stack that the user sees as a sentence."""

from __future__ import annotations

import errno


class LocalStackError(Exception):
    """Something the local stack cannot do; the message says what happened, why and what to do."""


class UsageError(LocalStackError):
    """The command line asks for something that makes no sense."""


class StackNotRunningError(LocalStackError):
    """A command needs the stack, and the stack is not up."""


class RunFailedError(LocalStackError):
    """A DAG run that a command waited for did not succeed."""


_NO_ROOM = "Free some space, or choose a folder on another disk (SPARKIFY_HOME is the stack's), and try again."
_FORBIDDEN = "Give a folder of your own (SPARKIFY_HOME is the stack's), or try as the user whose it is."
_IN_THE_WAY = ("A file stands where a folder is to be", "Give another folder.")
_WHAT_TO_DO = {
    errno.ENOSPC: ("The disk is full", _NO_ROOM),
    errno.EDQUOT: ("The disk quota is used up", _NO_ROOM),
    errno.EFBIG: ("A file would become larger than is allowed here", _NO_ROOM),
    errno.EROFS: ("The disk is read-only", _NO_ROOM),
    errno.EACCES: ("Permission is denied", _FORBIDDEN),
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EPERM: ("Permission is denied", _FORBIDDEN),
}


def sentence(error: Exception) -> str:
    """Return what to tell the user of an error: a sentence of ours, or where to see more."""
    if isinstance(error, LocalStackError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _WHAT_TO_DO:
        what, advice = _WHAT_TO_DO[error.errno]
        where = f" ({error.filename})" if error.filename else ""
        return f"{what}{where}. {advice}"
    return f"{type(error).__name__}: {error}. Add --debug to see where."
