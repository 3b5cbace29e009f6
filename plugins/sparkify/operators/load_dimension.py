"""Loads a dimension table from staging or from a fact table."""

from __future__ import annotations

from sparkify.operators.load_derived import LoadDerivedOperator


class LoadDimensionOperator(LoadDerivedOperator):
    """
    Loads a dimension: one row a key, whichever log dates brought it.

    It loads as every derived table is loaded; see :class:`~sparkify.operators.load_derived.LoadDerivedOperator`.

    :param table: the dimension's declaration. (not templated)
    :param sql: SELECT of the rows of ``keys``. (templated)
    :param keys: SELECT of the keys of ``log_dates`` and of the table's queue; default the queue alone. (templated)
    """

    ui_color = "#c5e0b4"
