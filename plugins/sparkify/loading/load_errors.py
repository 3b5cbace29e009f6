"""Explains why a COPY refused a file: line, field, value."""

from __future__ import annotations

import contextlib
import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from sparkify.loading.driver_errors import reason
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.refused_lines import LoadError, Seen, found_in
from sparkify.loading.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sparkify.loading.source import Source
    from sparkify.loading.warehouse import Warehouse

SHOWN = 10
# The system views are written after COPY has answered
# (https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html).
VIEW_SECONDS = 30.0
VIEW_PAUSE = 0.5
FIX_OR_ALLOW = "Fix the file and clear this task, or set the param max_bad_lines to load the rest."
# NoSuchKey: an object of the manifest, which was listed a moment before; another try lists again.
TRY_AGAIN = (
    *("Status 500", "Status 503", "SlowDown", "InternalError", "ServiceUnavailable", "timed out", "Timeout"),
    *("S3CurlException", "NoSuchKey"),
)

# Both views are documented; the first is there on every cluster and workgroup, the second only on provisioned ones.
# https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
# https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
QUERIES = (
    "select file_name, line_number, column_name, error_message from sys_load_error_detail"
    " where query_id = pg_last_copy_id() order by file_name, line_number",
    "select filename, line_number, colname, err_reason from stl_load_errors"
    " where query = pg_last_copy_id() order by filename, line_number",
)
# A COPY that failed on its data names one of these views.
NAMED_VIEWS = ("sys_load_error_detail", "stl_load_errors")
# https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html
COUNT_QUERY = "select max(error_count) from sys_load_history where query_id = pg_last_copy_id()"
# https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html#copy-maxerror
LEFT_OUT_NOTICE = re.compile(r"([0-9]+) record\(s\) could not be loaded")
LOADED_NOTICE = "record(s) loaded successfully"


def last_copy_id(warehouse: Warehouse) -> int:
    """The session's last COPY; it changes when one begins to load, also if that fails on its data.

    https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
    """
    return int(warehouse.rows("select pg_last_copy_id()")[0][0])


def why_copy_failed(
    warehouse: Warehouse, source: Source, paths: Mapping[str, Sequence[str]], error: Exception, *, since: int
) -> list[LoadError]:
    """The lines for which the session's last COPY failed, in the order of files and lines.

    What keeps a line from being fetched is logged: it must not hide why COPY failed.

    :param paths: the names that lead to each column's value in an object of the file.
    :param error: what COPY raised.
    :param since: :func:`last_copy_id` before that COPY: one that failed before it read anything has no errors, and
        those of the COPY before it are not its own.
    """
    if last_copy_id(warehouse) == since:
        return []
    named = any(view in reason(error.__cause__ or error) for view in NAMED_VIEWS)
    seen = _seen(warehouse, 1 if named else 0)
    return _found(warehouse, source, paths, seen, whole=False)


def lines_left_out(warehouse: Warehouse, source: Source, paths: Mapping[str, Sequence[str]]) -> list[LoadError]:
    """Every line that the session's last COPY left out, each once, in the order of files and lines.

    :param paths: as of :func:`why_copy_failed`.
    :raises Unavailable: if the system views do not show as many as COPY left out, after :data:`VIEW_SECONDS`.
    """
    count = _count_left_out(warehouse)
    if not count:
        return []
    seen = _seen(warehouse, count)
    if len(seen) != count:
        raise Unavailable(
            f"COPY left out {count} line(s), and the warehouse's system views show {len(seen)} of them after "
            f"{VIEW_SECONDS:g} seconds: not all could be kept in staging_rejects, and nothing was loaded. Clear this "
            "task to try again; if it stays so, fix the files, or load fewer log dates in one run."
        )
    return _found(warehouse, source, paths, seen, whole=True)


def copy_failure(error: Exception, errors: Sequence[LoadError]) -> Exception:
    """What to raise for a COPY that failed with ``error`` and left these refused lines."""
    if errors:
        began = f"COPY refused {len(errors)} line(s) and loaded nothing; the tables are as they were:"
        return DataError(
            f"{began}\n{listed(errors)}\n{FIX_OR_ALLOW}", told=f"{began}\n{listed_places(errors)}\n{FIX_OR_ALLOW}"
        )
    message = reason(error.__cause__ or error)
    if any(sign in message for sign in TRY_AGAIN):
        return Unavailable(f"COPY could not read from S3: {message}")
    return error


def listed(errors: Sequence[LoadError], count: int | None = None) -> str:
    """The first of these errors, a line each, and how many more there are."""
    count = len(errors) if count is None else count
    more = f"\n  … and {count - SHOWN} more" if count > SHOWN else ""
    return "".join(f"  {error}\n" for error in errors[:SHOWN]).removesuffix("\n") + more


def listed_places(errors: Sequence[LoadError], count: int | None = None) -> str:
    """As :func:`listed`, without the values."""
    return listed([error.without_value() for error in errors[:SHOWN]], len(errors) if count is None else count)


def _count_left_out(warehouse: Warehouse) -> int:
    said = "\n".join(warehouse.notices())
    if counted := LEFT_OUT_NOTICE.search(said):
        return int(counted[1])
    if LOADED_NOTICE in said:
        return 0
    # Some drivers keep no notices. Then a row that is not there yet is not a count of 0.
    deadline = time.monotonic() + VIEW_SECONDS
    while (count := warehouse.rows(COUNT_QUERY)[0][0]) is None:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"COPY did not say how many lines it left out, and sys_load_history did not in {VIEW_SECONDS:g} "
                "seconds. Nothing was loaded. Clear this task to try again."
            )
        time.sleep(VIEW_PAUSE)
    return int(count)


def _seen(warehouse: Warehouse, count: int) -> list[Seen]:
    """What the views show of the session's last COPY, as soon as it is as much as ``count``, or after a time."""
    deadline = time.monotonic() + VIEW_SECONDS
    while True:
        rows: list[tuple[object, ...]] = []
        for query in QUERIES:
            with contextlib.suppress(DataError, SettingsError):
                rows = rows or warehouse.rows(query)
        if len(rows) >= count or time.monotonic() > deadline:
            return [Seen(_word(file), int(str(line)), _word(column), _word(why)) for file, line, column, why in rows]
        time.sleep(VIEW_PAUSE)


def _found(
    warehouse: Warehouse, source: Source, paths: Mapping[str, Sequence[str]], seen: Iterable[Seen], *, whole: bool
) -> list[LoadError]:
    """The lines themselves: the views keep no more than a part of them."""
    by_file: defaultdict[str, list[Seen]] = defaultdict(list)
    for error in seen:
        by_file[error.file].append(error)
    found: list[LoadError] = []
    for file, errors in by_file.items():
        try:
            found += found_in(source, file, errors, paths)
        except Exception as error:
            if whole:
                raise
            found += [LoadError(file, one.line, one.column, one.reason, None, None) for one in errors]
            words = shown(f"The lines that COPY refused could not be fetched from {file}: {reason(error)}")
            warehouse.log.warning("%s", words)
    return found


def _word(value: object) -> str:
    return str(value or "").strip()
