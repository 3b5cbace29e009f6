"""The operators know no song: a shop's orders load by them in any order, and once more, right."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sparkify.loading.exceptions import DataError
from tests.pipeline import Pipeline

FIRST, SECOND, THIRD = (date(2024, 5, day) for day in (30, 31, 1))
DAG_ID = "orders_daily"


def order(number: int, line: int, customer: str, product: str, quantity: int, at: str) -> dict[str, Any]:
    city = f"{customer} lives here since {at}"
    return {"order": number, "line": line, "customer": {"name": customer, "city": city}, "product": product,
            "quantity": quantity, "at": at}  # fmt: skip


# Order 1, line 1 is in the files of two dates: the earlier date's counts. Each is delivered twice, and differs.
ORDERS: Mapping[date, tuple[list[dict[str, Any]], ...]] = {
    FIRST: (
        [order(1, 1, "Ann", "pen", 2, "2024-05-30 10:00:00"), order(2, 1, "Bob", "ink", 1, "2024-05-30 11:00:00")],
        [order(2, 1, "Bob", "ink", 5, "2024-05-30 11:00:00"), order(2, 2, "Cy", "cap", 1, "2024-05-30 12:00:00")],
    ),
    SECOND: (
        [order(1, 1, "Ann", "pen", 3, "2024-05-31 00:00:00"), order(3, 1, "Ann", "ink", 1, "2024-05-31 09:00:00")],
        [order(1, 1, "Ann", "pen", 4, "2024-05-31 00:00:00")],
    ),
    THIRD: ([order(4, 1, "Bob", "pen", 1, "2024-05-01 08:00:00")], []),
}
PRODUCTS: tuple[Mapping[str, dict[str, Any]], ...] = (
    {"products/a/pen.json": {"product": "pen", "price": 1.5}, "products/b/ink.json": {"product": "ink", "price": 10}},
    {"products/a/pen.json": {"product": "pen", "price": 2.25}, "products/c/cap.json": {"product": "cap", "price": 0.1}},
)


@pytest.fixture
def shop(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A schema of the shop's tables, and its bucket."""
    pipeline = Pipeline(stack, monkeypatch.setenv, dags=Path(__file__).parent)
    pipeline.run(FIRST, dag_id=DAG_ID, only=("tables",))
    yield pipeline
    pipeline.drop()


class Shop:
    """What was delivered, and what was staged of it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.staged: dict[date, list[dict[str, Any]]] = {}
        self.products: Mapping[str, dict[str, Any]] = {}

    def load(self, log_date: date, version: int) -> dict[str, Any]:
        """Deliver a date in this version, in two parts, and load it."""
        orders = self.staged[log_date] = ORDERS[log_date][version]
        for part in (0, 1):
            lines = "\n".join(map(json.dumps, orders[part::2]))
            self.pipeline.put({f"raw/dt={log_date}/part-{part}.json": lines.encode()})
        return self.pipeline.run(log_date, dag_id=DAG_ID)

    def deliver_products(self, version: int) -> None:
        for key in self.products:
            self.pipeline.remove(key)
        self.products = PRODUCTS[version]
        self.pipeline.put({key: json.dumps(one).encode() for key, one in self.products.items()})

    def assert_right(self) -> None:
        """The tables follow from what was staged, worked out here by other means."""
        prices = {one["product"]: Decimal(str(one["price"])) for one in self.products.values()}
        sales: dict[tuple[int, int], tuple[Any, ...]] = {}
        latest: dict[str, tuple[str, str]] = {}
        for log_date in sorted(self.staged):
            for one in self.staged[log_date]:
                price = prices.get(one["product"])
                amount = None if price is None else one["quantity"] * price
                sales.setdefault(
                    (one["order"], one["line"]), (one["customer"]["name"], one["product"], amount, log_date)
                )
                known = (one["at"], one["customer"]["city"])
                latest[one["customer"]["name"]] = max(known, latest.get(one["customer"]["name"], known))
        rows = self.pipeline.rows("select order_id, line, customer, product, amount, log_date from sales")
        assert {tuple(row[:2]): tuple(row[2:]) for row in rows} == sales
        assert len(rows) == len(sales)
        held = self.pipeline.rows("select customer, city, last_ordered_at from customers")
        assert sorted((name, city, str(at)) for name, city, at in held) == sorted(
            (name, city, at) for name, (at, city) in latest.items()
        )
        assert dict(self.pipeline.rows("select product, price from products")) == prices
        for queue in ("sales_queue", "customers_queue", "products_queue"):
            assert self.pipeline.rows(f"select * from {queue}") == []


@pytest.mark.parametrize("seed", range(3))
def test_orders_load_in_any_order_and_are_delivered_again_right(shop: Pipeline, seed: int) -> None:
    chance = random.Random(seed)
    done = Shop(shop)
    acts = [(log_date, version) for log_date in ORDERS for version in (0, 1)]
    chance.shuffle(acts)
    done.deliver_products(seed % 2)
    for number, (log_date, version) in enumerate(acts):
        if number == len(acts) // 2:
            done.deliver_products(1 - seed % 2)
        done.load(log_date, version)
        done.assert_right()


def test_a_date_without_a_file_names_the_shops_own_pattern(shop: Pipeline) -> None:
    shop.put({f"raw/dt={FIRST}/.hidden.json": b"{}", f"raw/{FIRST}.jsonl": b"{}"})
    expected = rf"expected s3://.*/raw/dt={FIRST}/\*\.json \(or \.json\.gz\)\. There is raw/{FIRST}\.jsonl"
    with pytest.raises(DataError, match=expected):
        shop.run(FIRST, dag_id=DAG_ID, only=("stage_orders",))


def test_the_history_says_what_was_loaded(shop: Pipeline) -> None:
    done = Shop(shop)
    done.deliver_products(0)
    counts = done.load(FIRST, 0)
    assert counts["stage_orders"]["files"] == 2
    assert counts["check"] == {"sales.product_is_known": 0}
    recorded = shop.rows("select table_name, rows_inserted from load_history order by table_name")
    tables = ("customers", "products", "sales", "staging_orders", "staging_products")
    assert recorded == [(name, 2) for name in tables]
