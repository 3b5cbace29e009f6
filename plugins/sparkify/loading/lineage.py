"""What a task has read and written, as OpenLineage has it (https://openlineage.io/docs/spec/object-model).

A listener of Airflow's OpenLineage provider asks the operator for it when the task has ended. Nothing here opens a
connection, and nothing is imported that only the provider has until it asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from sparkify.loading.checks import CheckResult
    from sparkify.loading.declarations import DerivedTable
    from sparkify.loading.history import Load
    from sparkify.loading.source import SourceFile

#: An event names so many objects of a load at most; of more it names their folder.
MOST_OBJECTS = 100
DEFAULT_PORT = 5439
# A cluster is named by what its endpoint says of it: https://openlineage.io/docs/spec/naming
_ENDPOINT = re.compile(r"^([^.]+)\.[^.]+\.([^.]+)\.redshift(?:-serverless)?\.amazonaws\.com(?:\.cn)?$")
# Each begins a line in the project's SQL: the FROM of a function does not.
_READ = re.compile(r"^\s*(?:from|(?:[a-z]+ )*join)\s+([a-z_]+)\b(?!\s*\()", re.MULTILINE)
_NAMED = re.compile(r"^\s*([a-z_]+) as \($", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Where the warehouse's tables are: ``redshift://host:port``, and database and schema before a table's name."""

    namespace: str
    database: str
    schema: str

    @classmethod
    def from_connection(cls, connection: Connection, schema: str) -> Place:
        """From the connection that a session has opened."""
        # A log-in by IAM may leave the endpoint to the driver.
        named = _ENDPOINT.sub(r"\1.\2", str(connection.host or connection.conn_id))
        return cls(f"redshift://{named}:{connection.port or DEFAULT_PORT}", str(connection.schema or "dev"), schema)

    def name(self, table: str) -> str:
        """A table's name in the namespace."""
        return f"{self.database}.{self.schema}.{table}"

    def uri(self, table: str) -> str:
        """A table's address."""
        return f"{self.namespace}/{self.database}/{self.schema}/{table}"


def of_copy(place: Place, folder: str, files: Sequence[SourceFile], load: Load) -> Any:
    """A staging table from objects of the source bucket, which lie in this folder."""
    from airflow.providers.common.compat.openlineage.facet import InputDataset
    from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet

    if len(files) > MOST_OBJECTS:
        objects = [(files[0].bucket, folder.rstrip("/"), sum(file.size for file in files), len(files))]
    else:
        objects = [(file.bucket, file.key, file.size, 1) for file in files]
    inputs = [
        InputDataset(
            namespace=f"s3://{bucket}",
            name=name,
            inputFacets={"inputStatistics": InputStatisticsInputDatasetFacet(size=size, fileCount=number)},
        )
        for bucket, name, size, number in objects
    ]
    return _lineage(inputs, [_written(place, load.table, load)])


def of_load(place: Place, table: DerivedTable, load: Load) -> Any:
    """A derived table from others, each of its columns from theirs."""
    from airflow.providers.common.compat.openlineage.facet import ColumnLineageDatasetFacet, Fields, InputField

    fields = {
        column: Fields(inputFields=[InputField(place.namespace, place.name(of), field) for of, field in origins])
        for column, origins in table.origins().items()
    }
    facets = {"columnLineage": ColumnLineageDatasetFacet(fields=fields)} if fields else {}
    sources = sorted({of for origins in table.origins().values() for of, _ in origins})
    return _lineage(_tables(place, sources), [_written(place, table.name, load, facets)])


def of_checks(place: Place, results: Iterable[CheckResult]) -> Any:
    """Tables that were looked at, each with what was asserted of it, and the table of the results."""
    from airflow.providers.common.compat.openlineage.facet import Dataset, InputDataset
    from openlineage.client.generated.data_quality_assertions_dataset import (
        Assertion,
        DataQualityAssertionsDatasetFacet,
    )

    by_table: dict[str, list[Any]] = {}
    for result in results:
        assertion = Assertion(assertion=result.check.name, success=result.passed)
        by_table.setdefault(result.check.name.partition(".")[0], []).append(assertion)
    inputs = [
        InputDataset(
            namespace=place.namespace,
            name=place.name(table),
            inputFacets={"dataQualityAssertions": DataQualityAssertionsDatasetFacet(assertions=assertions)},
        )
        for table, assertions in by_table.items()
    ]
    return _lineage(inputs, [Dataset(namespace=place.namespace, name=place.name("data_quality_results"))])


def of_objects(place: Place, selects: Iterable[str], urls: Iterable[str]) -> Any:
    """Objects of S3, by ``s3://bucket/key``, from the tables that these SELECTs read."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    objects = (url.removeprefix("s3://").partition("/") for url in urls)
    outputs = [Dataset(namespace=f"s3://{bucket}", name=key) for bucket, _, key in objects]
    tables = set[str]().union(*map(tables_read, selects))
    return _lineage(_tables(place, sorted(tables)), outputs)


def tables_read(select: str) -> set[str]:
    """The tables after FROM and JOIN, of a SELECT in the project's style, without its own subqueries by name."""
    return set(_READ.findall(select)) - set(_NAMED.findall(select))


def _tables(place: Place, names: Iterable[str]) -> list[Any]:
    from airflow.providers.common.compat.openlineage.facet import Dataset

    return [Dataset(namespace=place.namespace, name=place.name(name)) for name in names]


def _written(place: Place, table: str, load: Load, facets: Mapping[str, Any] | None = None) -> Any:
    """A table with the rows that the load wrote into it, as ``load_history`` counts them."""
    from airflow.providers.common.compat.openlineage.facet import OutputDataset, OutputStatisticsOutputDatasetFacet

    statistics = OutputStatisticsOutputDatasetFacet(rowCount=load.rows_inserted + load.rows_updated)
    return OutputDataset(
        namespace=place.namespace,
        name=place.name(table),
        outputFacets={"outputStatistics": statistics},
        facets=dict(facets or {}),
    )


def _lineage(inputs: list[Any], outputs: list[Any]) -> Any:
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(inputs=inputs, outputs=outputs)
