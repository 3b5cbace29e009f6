"""Every DAG of the project is read without an error, and Airflow loads its plugin.

``make dist`` copies this file into Astronomer's layout, where ``astro dev parse`` and ``astro dev pytest`` run it. It
needs nothing but Airflow and pytest.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from airflow import plugins_manager, settings
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

FOLDER = Path(os.environ["AIRFLOW_HOME"]) / "dags"

settings.initialize()
BAG = DagBag(FOLDER)


def test_no_file_has_an_import_error() -> None:
    assert BAG.import_errors == {}


def test_every_file_has_a_dag() -> None:
    assert {Path(dag.fileloc).name for dag in BAG.dags.values()} == {file.name for file in FOLDER.glob("*.py")}


@pytest.mark.parametrize("dag", BAG.dags.values(), ids=lambda dag: dag.dag_id)
def test_a_dag_has_a_page_tags_and_its_sql(dag: DAG) -> None:
    assert dag.doc_md, f"{dag.dag_id} says nothing to those who operate it"
    assert dag.tags, f"{dag.dag_id} has no tags"
    assert all(Path(path).is_dir() for path in dag.template_searchpath or ()), f"{dag.dag_id} finds no SQL"


def test_the_plugin_is_loaded() -> None:
    assert "sparkify" in {plugin["name"] for plugin in plugins_manager.get_plugin_info()}
