"""The smoke test: it leaves nothing, and says why a COPY does not work."""

from __future__ import annotations

import pytest

from sparkify.loading.exceptions import SettingsError
from tests.pipeline import Pipeline

pytestmark = pytest.mark.deployment


def test_a_copy_that_works_leaves_no_object_and_no_table(pipeline: Pipeline) -> None:
    pipeline.run(dag_id="sparkify_warehouse", only={"copy_works"})
    assert pipeline.s3.list_objects_v2(Bucket=pipeline.control_bucket).get("Contents", []) == []
    assert pipeline.rows("select count(*) from pg_catalog.pg_class where relname = 'smoke_test'") == [(0,)]


def test_a_copy_that_fails_names_the_role_and_leaves_no_object(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_nothing(*_: object) -> str:
        return f"s3://{pipeline.control_bucket}/no/such/object.json"

    monkeypatch.setattr("sparkify.cluster.copy_smoke_test.Source.put", read_nothing)
    with pytest.raises(
        SettingsError, match=r"could not copy s3://.*/no/such/object\.json by the role default: .* Attach"
    ):
        pipeline.run(dag_id="sparkify_warehouse", only={"copy_works"})
    assert pipeline.s3.list_objects_v2(Bucket=pipeline.control_bucket).get("Contents", []) == []
