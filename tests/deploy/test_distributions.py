"""What make dist builds runs where nothing of the checkout is, in the layout of each service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from deploy.distributions import ASTRO_RUNTIMES, DISTRIBUTIONS, build
from deploy.requirements import read_lock
from tests.examples import event, play, song
from tests.pipeline import PROJECT, Pipeline

pytestmark = pytest.mark.deployment

DAGS = {path.stem for path in (PROJECT / "dags").glob("*.py")}
LOG_DATE = date(2018, 11, 1)

# Parses all DAGs of AIRFLOW_HOME, then runs those named in argv; the last line of standard output is the result.
RUN = """\
import json, sys
from pathlib import Path
from airflow.configuration import AIRFLOW_HOME
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb

initdb()
bag = DagBag(Path(AIRFLOW_HOME) / "dags")
states = {}
for dag_id, conf in json.loads(sys.argv[1]).items():
    run = bag.dags[dag_id].test(run_conf=conf)
    states[dag_id] = {task.task_id: str(task.state) for task in run.get_task_instances()}
found = {name: module.__file__ for name, module in sys.modules.items() if name.startswith("sparkify.")}
absent = [path for dag in bag.dags.values() for path in dag.template_searchpath or () if not Path(path).is_dir()]
result = {"dags": sorted(bag.dags), "errors": bag.import_errors, "absent": absent, "states": states, "found": found}
print(json.dumps(result))
"""


@dataclass(frozen=True)
class AirflowHome:
    """A bare Airflow with nothing in it but what a service puts there."""

    folder: Path

    def run(self, runs: dict[str, dict[str, Any]]) -> Any:
        """Parse all DAGs, and run some with these params."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIRFLOW__"))
        }
        done = subprocess.run(
            [sys.executable, "-c", RUN, json.dumps(runs)],
            env=environment | {"AIRFLOW_HOME": str(self.folder), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return json.loads(done.stdout.splitlines()[-1])


def _deliver_mwaa(built: Path, home: Path) -> None:
    """As MWAA does: the bucket's dags are synced, and the zip file is unpacked."""
    shutil.copytree(built / "dags", home / "dags")
    with zipfile.ZipFile(built / "plugins.zip") as archive:
        archive.extractall(home / "plugins")


def _deliver_astronomer(built: Path, home: Path) -> None:
    """As the runtime's image does: the whole project is copied into its home."""
    shutil.copytree(built, home, dirs_exist_ok=True)


DELIVER = {"mwaa": _deliver_mwaa, "astronomer": _deliver_astronomer}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_it_runs_where_nothing_of_the_checkout_is(
    name: str, stack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = AirflowHome(tmp_path / "home")
    home.folder.mkdir()
    DELIVER[name](build(PROJECT, name, tmp_path / "dist"), home.folder)
    pipeline = Pipeline(stack, monkeypatch.setenv)
    pipeline.put_events(LOG_DATE, [play(userId="7"), event(userId="8")])
    pipeline.put({"song_data/A/A/A/TRA.json": json.dumps(song("SOA")).encode()})

    params = {"log_date": LOG_DATE.isoformat()}
    done = home.run({"sparkify_schema": {}, "sparkify_daily": params, "sparkify_report": {}})
    assert done["errors"] == {}
    assert set(done["dags"]) == DAGS
    assert done["absent"] == [], "a DAG looks for its SQL where this layout has none: let include_folder find it"
    for dag_id, states in done["states"].items():
        assert set(states.values()) == {"success"}, (dag_id, states)
    assert all(path.startswith(f"{home.folder}/plugins/") for path in done["found"].values()), done["found"]
    assert pipeline.rows("select count(*) from songplays") == [(1,)]
    assert pipeline.rows("select user_id from users order by 1") == [(7,), (8,)]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_same_files_make_the_same_bytes(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for room in ("dags", "plugins", "include"):
        shutil.copytree(PROJECT / room, copy / room, copy_function=shutil.copyfile)
    shutil.copy(PROJECT / "requirements.txt", copy)
    one, other = build(PROJECT, name, tmp_path / "one"), build(copy, name, tmp_path / "other")
    assert _content(one) == _content(other)


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_an_older_one_is_replaced_whole(name: str, tmp_path: Path) -> None:
    folder = build(PROJECT, name, tmp_path)
    before = _content(folder)
    (folder / "dags" / "gone.py").write_text("")
    (tmp_path / f".{name}.unfinished").mkdir()
    assert _content(build(PROJECT, name, tmp_path)) == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_it_holds_no_tests_no_local_stack_and_no_caches(name: str, tmp_path: Path) -> None:
    folder = build(PROJECT, name, tmp_path)
    names = set(_content(folder))
    for path in folder.rglob("*.zip"):
        names |= set(zipfile.ZipFile(path).namelist())
    parts = {part for path in names for part in Path(path).parts}
    own = {"tests"} if name == "astronomer" else set()
    assert not (parts - own) & {"tests", "local", "benchmarks", "__pycache__", ".env"}
    assert ".airflowignore" in parts


def required(name: str, folder: Path) -> dict[str, Requirement]:
    """What a distribution requires besides its service's image, by name."""
    lines = (build(PROJECT, name, folder) / "requirements.txt").read_text().splitlines()
    return {one.name: one for one in map(Requirement, lines)}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_it_requires_what_the_tests_ran_with_and_not_airflow_itself(name: str, tmp_path: Path) -> None:
    found = required(name, tmp_path)
    assert {"altair", "vl-convert-python"} <= found.keys()
    assert not found.keys() & {"apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk"}
    for one in found.values():
        assert str(one.specifier) == f"=={version(one.name)}"


def test_mwaa_holds_its_own_packages_still_since_nothing_it_has_is_required(tmp_path: Path) -> None:
    # Its second constraints file is applied only to requirements that name none, and would refuse another version.
    assert required("mwaa", tmp_path).keys() == {"altair", "vl-convert-python"}
    assert "--constraint" not in (tmp_path / "mwaa" / "requirements.txt").read_text()


def test_astronomers_own_commands_find_the_dags_in_order(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _deliver_astronomer(build(PROJECT, "astronomer", tmp_path / "dist"), home)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIRFLOW__"))}
    for tests in ("tests", ".astro/test_dag_integrity_default.py"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", tests],
            env=environment | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
            cwd=home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert f"{3 + len(DAGS)} passed" in done.stdout
    (home / "dags" / "broken.py").write_text("import no_such_module\n")
    assert subprocess.run(done.args, env=environment | {"AIRFLOW_HOME": str(home)}, cwd=home, check=False).returncode


def test_astronomers_image_is_of_the_projects_airflow(tmp_path: Path) -> None:
    folder = build(PROJECT, "astronomer", tmp_path)
    runtime = ASTRO_RUNTIMES[version("apache-airflow")]
    assert (folder / "Dockerfile").read_text() == f"FROM astrocrpublic.azurecr.io/runtime:{runtime}\n"
    assert (folder / "packages.txt").is_file()


def test_another_airflow_than_the_runtimes_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    lock = (PROJECT / "requirements.txt").read_text().replace("apache-airflow==3.3.2", "apache-airflow==3.9.9")
    (tmp_path / "requirements.txt").write_text(lock)
    with pytest.raises(ValueError, match=r"No Astro Runtime is known for Airflow 3\.9\.9\. Look it up"):
        build(tmp_path, "astronomer", tmp_path / "dist")


def test_a_lock_without_its_reasons_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("apache-airflow==3.3.2\n")
    with pytest.raises(ValueError, match="Make it again by `make lock`"):
        read_lock(tmp_path / "requirements.txt")
