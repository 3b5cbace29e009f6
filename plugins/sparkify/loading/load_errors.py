"""Why a COPY refused a file: which line, which field, what stood there."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.shown import shown
from sparkify.loading.warehouse import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparkify.loading.source import Source
    from sparkify.loading.warehouse import Warehouse

SHOWN = 10
VALUE_SHOWN = 200
# NoSuchKey: an object of the manifest, which was listed a moment before; another try lists anew.
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


# How many lines the system views failed to keep: sys_load_history counts them all.
# https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html
COUNT_QUERY = "select max(error_count) from sys_load_history where query_id = pg_last_copy_id()"


@dataclass(frozen=True)
class LoadError:
    """One refused line: ``line`` counts from 1, ``text`` is all of it; None where it could not be found."""

    file: str
    line: int
    column: str
    reason: str
    text: str | None
    value: str | None

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        field = f", column {self.column}" if self.column else ""
        value = "" if self.value is None else f", value {_cut(self.value)}"
        return shown(f"{where}{field}{value}: {self.reason}")


def last_copy_id(warehouse: Warehouse) -> int:
    """The session's last COPY; it changes when one begins to load, also if that fails on its data.

    https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
    """
    return int(warehouse.rows("select pg_last_copy_id()")[0][0])


def read_load_errors(
    warehouse: Warehouse, source: Source, fields: Mapping[str, str], *, since: int, whole: bool = False
) -> list[LoadError]:
    """What the session's last COPY refused, in the order of files and lines.

    :param fields: the file's field of each column. Line and value are read from the file itself, since the views
        keep no more than a part of them.
    :param since: :func:`last_copy_id` before that COPY: one that failed before it read anything has no errors, and
        those of the COPY before it are not its own.
    :param whole: raise what kept a file's lines from being fetched, as where they are to be kept; else it is logged,
        and the errors are without them: it must not hide why COPY failed.
    """
    if last_copy_id(warehouse) == since:
        return []
    rows: list[tuple[object, ...]] = []
    for query in QUERIES:
        with contextlib.suppress(DataError, SettingsError):
            rows = rows or warehouse.rows(query)
    found = [(_text(file), int(str(line)), _text(column), _text(why)) for file, line, column, why in rows]
    lines: dict[str, dict[int, str]] = {}
    for file in {name for name, _, _, _ in found}:
        try:
            lines[file] = source.lines(file, [line for name, line, _, _ in found if name == file])
        except Exception as error:
            if whole:
                raise
            lines[file] = {}
            told = shown(f"The lines that COPY refused could not be fetched from {file}: {reason(error)}")
            warehouse.log.warning("%s", told)
    return [
        LoadError(file, line, column, why, text, _value(text, fields.get(column, column)))
        for file, line, column, why in found
        for text in [lines[file].get(line)]
    ]


def refuse_if_unseen(warehouse: Warehouse, seen: int) -> None:
    """Raise a :class:`DataError` if the session's last COPY left out more lines than the views tell of."""
    try:
        counted = int(warehouse.rows(COUNT_QUERY)[0][0] or 0)
    except (DataError, SettingsError):
        return
    if counted > seen:
        raise DataError(
            f"COPY left out {counted} lines, of which the warehouse's system views show {seen}: the others could not "
            "be kept in staging_rejects. Nothing was loaded. Mend the files, or load fewer log dates in one run."
        )


def copy_failure(error: Exception, errors: list[LoadError]) -> Exception:
    """What to raise for a COPY that failed with ``error`` and left these refused lines."""
    if errors:
        more = f"\n  … and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        shown = "\n  ".join(str(refused) for refused in errors[:SHOWN])
        return DataError(
            f"COPY refused {len(errors)} line(s) and loaded nothing; the tables are as they were:\n  {shown}{more}\n"
            "Mend the file and clear this task, or set the param max_bad_lines to load the rest."
        )
    message = reason(error.__cause__ or error)
    if any(sign in message for sign in TRY_AGAIN):
        return Unavailable(f"COPY could not read from S3: {message}")
    return error


def _value(line: str | None, field: str) -> str | None:
    if line is None:
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return line
    return json.dumps(record[field], ensure_ascii=False) if isinstance(record, dict) and field in record else None


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({len(text)} characters)"


def _text(value: object) -> str:
    return str(value or "").strip()
