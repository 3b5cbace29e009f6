from __future__ import annotations

import errno
import os

import pytest

from local.errors import LocalStackError, sentence


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LocalStackError("As it is."), "As it is."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "The disk is full. Free some space"),
        (OSError(errno.ENOSPC, "", "/a/file"), "The disk is full (/a/file). Free some space"),
        (PermissionError(errno.EACCES, "", "/a/folder"), "Permission is denied (/a/folder). Give a folder of your own"),
        (ValueError("odd"), "ValueError: odd. Add --debug to see where."),
        (OSError("without a number"), "OSError: without a number. Add --debug to see where."),
    ],
)
def test_what_the_user_can_do_is_told_and_where_to_see_more_otherwise(error: Exception, told: str) -> None:
    assert sentence(error).startswith(told)
