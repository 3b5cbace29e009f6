"""The shop's tables: sales follow orders and products, customers follow orders."""

from __future__ import annotations

from sparkify.loading.declarations import DerivedTable, Follower, StagingTable
from sparkify.loading.source_files import Catalogue, DatedFiles

SALES = DerivedTable(
    "sales",
    key="sale_id",
    queue={"order_id": "bigint", "line": "integer"},
    partition="log_date",
)
CUSTOMERS = DerivedTable("customers", key="customer", queue={"customer": "varchar(64)"}, newest="last_ordered_at")
PRODUCTS = DerivedTable("products", key="product", queue={"product": "varchar(64)"})

STAGING_ORDERS = StagingTable(
    "staging_orders",
    DatedFiles("raw/dt={log_date}/*.json"),
    followers=(Follower(SALES), Follower(CUSTOMERS)),
)
STAGING_PRODUCTS = StagingTable(
    "staging_products",
    Catalogue("products/", depth=1),
    followers=(Follower(PRODUCTS), Follower(SALES, "queue/sales_of_products.sql")),
)
ALL = (STAGING_ORDERS, STAGING_PRODUCTS, SALES, CUSTOMERS, PRODUCTS)
