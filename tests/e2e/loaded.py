"""What a warehouse holds, beside what its files say."""

from __future__ import annotations

from typing import Any

import redshift_connector

from local.reference import KEYS, ROW_TYPES, Tables, differences
from local.stack.connections import redshift_arguments
from local.stack.home import Home


def assert_warehouse_equals_reference(home: Home, expected: Tables) -> None:
    """Every table equals the reference's, row by row."""
    with redshift_connector.connect(**redshift_arguments(home)) as connection:
        cursor = connection.cursor()
        for table, row_type in ROW_TYPES.items():
            fields: Any = row_type._fields  # type: ignore[attr-defined]
            cursor.execute(f"select {', '.join(fields)} from {table}")
            key = [fields.index(column) for column in KEYS[table]]
            found = differences(expected.rows(table), cursor.fetchall(), key)
            assert not found, f"{table}: " + "; ".join(found.lines(fields))
