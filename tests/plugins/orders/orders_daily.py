"""The shop's DAG: one date of orders into sales and customers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.data_quality import DataQualityOperator
from sparkify.operators.load_dimension import LoadDimensionOperator
from sparkify.operators.load_fact import LoadFactOperator
from sparkify.operators.s3_to_redshift import S3ToRedshiftOperator
from tests.plugins.orders.tables import ALL, CUSTOMERS, PRODUCTS, SALES, STAGING_ORDERS, STAGING_PRODUCTS

SQL = Path(__file__).parent / "sql"
# The tables that the operators keep their records in.
LEDGER = Path(__file__).resolve().parents[3] / "include" / "sql" / "schema"

with DAG(
    dag_id="orders_daily",
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    template_searchpath=[str(SQL), str(LEDGER)],
    params={
        "log_date": Param(None, type=["null", "string"], format="date"),
        "through": Param(None, type=["null", "string"], format="date"),
    },
) as dag:
    tables = CreateTablesOperator(
        task_id="tables", sql=["ledger.sql", "tables.sql", *(statement for table in ALL for statement in table.ddl())]
    )
    orders = S3ToRedshiftOperator(task_id="stage_orders", table=STAGING_ORDERS, jsonpaths="orders.json")
    products = S3ToRedshiftOperator(task_id="stage_products", table=STAGING_PRODUCTS, jsonpaths="products.json")
    load_products = LoadDimensionOperator(task_id="products", table=PRODUCTS, sql="dimensions/products.sql")
    sales = LoadFactOperator(task_id="sales", table=SALES, sql="facts/sales.sql", keys="keys/sales.sql")
    customers = LoadDimensionOperator(
        task_id="customers", table=CUSTOMERS, sql="dimensions/customers.sql", keys="keys/customers.sql"
    )
    check = DataQualityOperator(task_id="check", checks=["quality/sales/product_is_known.sql"])
    tables >> orders >> products >> load_products >> sales >> customers >> check
