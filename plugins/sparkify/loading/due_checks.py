"""Which checks of a whole table are due: those of a table that was written since they passed.

A check of the log dates costs what the dates cost. A check of a whole table costs what the table does, each time, and
finds nothing new in a table that nobody has written. Its header names the table: ``-- if_written: songs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sparkify.loading.history import utc_now

if TYPE_CHECKING:
    from sparkify.loading.checks import Check
    from sparkify.loading.warehouse import Warehouse

# A check is due after so long, whatever wrote the table: somebody may have changed it by hand.
LONGEST = timedelta(days=7)
# How far the clocks of two workers may be apart, and a load from its commit. A result counts for the loads of its own
# run, which its tasks have done before, and for those that ended so long before it.
APART = timedelta(hours=1)


def settled(warehouse: Warehouse, checks: Sequence[Check]) -> set[str]:
    """The names of the checks that need not run: each passed when it ran last, and no load of its table came later."""
    of_tables = [check for check in checks if check.if_written]
    if not of_tables:
        return set()
    since = utc_now() - LONGEST
    found = warehouse.rows(
        "select check_name, dag_id, run_id, checked_at, passed from data_quality_results"
        f" where checked_at >= '{since}' and check_name in ({_listed(check.name for check in of_tables)})"
        " union all select table_name, dag_id, run_id, ended_at, true from load_history"
        f" where started_at >= '{since - timedelta(days=1)}'"
        f" and table_name in ({_listed({str(check.if_written) for check in of_tables})})"
    )
    names = set()
    for check in of_tables:
        results = sorted((row for row in found if row[0] == check.name), key=lambda row: row[3])
        if not results or not results[-1][4]:
            continue
        last_checked_at = results[-1][3]
        of_run = {(dag_id, run_id): checked_at for _, dag_id, run_id, checked_at, _ in results}
        loads = [row[1:4] for row in found if row[0] == check.if_written]
        if all(
            ended_at + APART <= last_checked_at or ended_at <= of_run.get((dag_id, run_id), since)
            for dag_id, run_id, ended_at in loads
        ):
            names.add(check.name)
    return names


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
