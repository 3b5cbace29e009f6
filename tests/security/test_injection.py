"""Nothing that comes from a person or a file is run: it is refused in a sentence, or kept as the text that it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag

from local.reference import read_log_files, read_song_files, star_schema
from sparkify.loading.exceptions import DataError, SettingsError
from sparkify.loading.recipients import KEYS as RECIPIENTS
from sparkify.loading.settings import SPARKIFY_KEYS, Settings
from sparkify.loading.staging import fitting
from sparkify.loading.waiting import KEYS as WAITING_KEYS
from tests.examples import NOV_1, NOV_2, event, play, song
from tests.local.conformance.emission import listening
from tests.pipeline import PROJECT, WRITING, Pipeline
from tests.security.hostile import MARK, TEXTS
from tests.test_docs import created_tables

pytestmark = pytest.mark.security

# What a param is refused with. Lists and the like come by a run's conf, before which Airflow's form does not stand.
PARAMS = {
    ("sparkify_daily", "log_date"): "log_date=.* is not a date",
    ("sparkify_daily", "through"): "through=.* is not a date",
    ("sparkify_daily", "max_bad_lines"): "max_bad_lines=.* is not a whole number",
    ("sparkify_daily", "missing_file"): "missing_file=.* is unknown",
    ("sparkify_daily", "checks"): "checks=.* is unknown",
    ("sparkify_schema", "rebuild"): "rebuild=.* is not the schema's name",
    ("sparkify_schema", "reader_role"): "reader_role=.* is not the name of a role",
    ("sparkify_schema", "pii_role"): "pii_role=.* is not the name of a role",
    ("sparkify_schema", "keep_records"): "keep_records=.* is neither true nor false",
    ("sparkify_schema", "dry_run"): "dry_run=.* is neither true nor false",
}
# These go to CloudFormation and Secrets Manager, and into no statement: the task that is to refuse each, and with what.
# What may hold a password is not shown.
FOR_AWS = {
    ("sparkify_warehouse", "action"): ("choose", "action=.* is unknown"),
    ("sparkify_warehouse", "stack"): ("deploy_stack", "stack=.* is not the name of a stack"),
    ("sparkify_warehouse", "parameters"): ("deploy_stack", "The param parameters is .*no JSON object|has no parameter"),
    ("sparkify_warehouse", "secret"): ("loading_user", "secret=.* is not a name"),
    ("sparkify_warehouse", "connection_extra"): (
        "loading_user",
        "The param connection_extra (is .*no JSON object|names .*elsewhere)",
    ),
    ("sparkify_warehouse", "confirm"): ("delete_stack", "confirm=.* is not the stack's name"),
}
NOT_SHOWN = ("parameters", "connection_extra")
NO_TEXTS: tuple[Any, ...] = ([f"{MARK}';"], {f"{MARK}';": 1}, 1.5, True, -1)
SETTINGS = (
    *("s3.bucket_name", "region_name"),
    *(f"sparkify.{name}" for name in (*SPARKIFY_KEYS, *WAITING_KEYS)),
    *(f"sparkify.alerts.{name}" for name in RECIPIENTS),
)
PLAIN = re.compile(r"'[A-Za-z0-9_.:+/-]*'")
"""A literal of nothing that could end it: a run's name comes to stand in some, after all else was taken out of it."""
STANDING = """
select 'relation', n.nspname || '.' || c.relname from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = '{schema}'
union all select 'schema', nspname from pg_catalog.pg_namespace
union all select 'role', role_name from svv_roles
union all select 'canary', cast(a as varchar) from canary
"""


@pytest.fixture(scope="module")
def heard(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """The stack with a stand-in that notes every statement, and where it notes them."""
    log = tmp_path_factory.mktemp("heard") / "statements"
    with listening(stack, log) as port:
        connection = json.loads(stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"]) | {"port": port}
        env = {**stack.env, "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(connection)}
        yield SimpleNamespace(env=env, s3=stack.s3), log


@pytest.fixture(scope="module")
def schema(heard: tuple[Any, Path]) -> Iterator[str]:
    """A schema with all tables, and one that must stay."""
    with pytest.MonkeyPatch.context() as patch:
        made = Pipeline(heard[0], patch.setenv)
        made.run(dag_id="sparkify_schema")
        made.execute("create table canary (a integer)")
        made.execute("insert into canary values (1)")
        yield made.schema
        made.drop()


def standing(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    """What there is in the warehouse, but for what sessions make for themselves."""
    found = pipeline.rows(STANDING.format(schema=pipeline.schema))
    return sorted(row for row in found if not str(row[1]).startswith("pg_"))


@pytest.fixture
def pipeline(heard: tuple[Any, Path], schema: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """After the test all that stood stands, nothing more does, and no statement held a text of the test's."""
    stack, log = heard
    made = Pipeline(stack, monkeypatch.setenv, schema)
    before, said = standing(made), len(log.read_text().splitlines())
    yield made
    assert standing(made) == before
    statements = [json.loads(line) for line in log.read_text().splitlines()[said:]]
    assert statements
    assert [text for text in statements if MARK in PLAIN.sub("", text)] == []
    for table in created_tables():
        made.execute(f"delete from {table}")


def test_every_param_of_a_dag_that_speaks_to_the_warehouse_is_tried() -> None:
    bag = BundleDagBag(PROJECT / "dags", bundle_path=PROJECT / "dags", bundle_name="dags")
    assert not bag.import_errors
    speaking = [dag for dag in bag.dags.values() if any(hasattr(task, "redshift_conn_id") for task in dag.tasks)]
    assert {(dag.dag_id, name) for dag in speaking for name in dag.params} == set(PARAMS) | set(FOR_AWS)
    for dag_id, name in FOR_AWS:
        for task in bag.dags[dag_id].tasks:
            # The loading user's secret and its extra go to AWS; that none gets into a statement the tests below see.
            if hasattr(task, "redshift_conn_id") and task.task_id != "loading_user":
                templates = str([getattr(task, field) for field in task.template_fields])
                assert f"params.{name}" not in templates, f"{dag_id}.{task.task_id}"


@pytest.mark.parametrize(("dag_id", "param"), PARAMS)
def test_a_param_that_is_no_such_value_is_refused_by_name(pipeline: Pipeline, dag_id: str, param: str) -> None:
    pipeline.put_events(NOV_1, [event()])
    flags = ("keep_records", "dry_run")
    for value in (*TEXTS, *(value for value in NO_TEXTS if value is not True or param not in flags)):
        given = {"log_date": str(NOV_1)} if dag_id == "sparkify_daily" else {}
        with pytest.raises(SettingsError, match=PARAMS[dag_id, param]) as refused:
            pipeline.run(dag_id=dag_id, **given | {param: value})
        assert MARK in str(refused.value) or MARK not in str(value)
        # The schema's name is of random digits.
        assert "49" not in str(refused.value).replace(pipeline.schema, "")
    # The events are staged before they are checked.
    assert param == "checks" or pipeline.rows("select * from staging_events") == []


@pytest.mark.parametrize(("dag_id", "param"), FOR_AWS)
def test_a_param_for_aws_that_is_no_such_value_is_refused_by_name(pipeline: Pipeline, dag_id: str, param: str) -> None:
    task, refusal = FOR_AWS[dag_id, param]
    # As text a number and True are names like any other.
    names = {"secret": (1.5, True, -1), "stack": (True,)}.get(param, ())
    for value in (*TEXTS, *(value for value in NO_TEXTS if value not in names)):
        with pytest.raises(SettingsError, match=refusal) as refused:
            pipeline.run(dag_id=dag_id, only={task}, **{param: value})
        assert MARK in str(refused.value) or MARK not in str(value) or param in NOT_SHOWN
        assert "49" not in str(refused.value)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_is_no_such_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    for value in (*TEXTS, *NO_TEXTS, "a\n", "a'", 'a"', "a;b", "a b", "é", "a\0"):
        extra: dict[str, Any] = {"service_config": {"s3": {"bucket_name": "plays"}, "sparkify": {"alerts": {}}}}
        *path, name = setting.split(".")
        holder = extra["service_config"][path[0]] if path else extra
        holder = holder[path[1]] if path[1:] else holder
        holder[name] = value
        connection = {"conn_type": "aws", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
        with pytest.raises(SettingsError, match=rf"{re.escape(setting)} (is .*expected|begins or ends with|holds a)"):
            Settings.of_connection("aws_default")


def texts_of(table: str, text: str) -> dict[str, str]:
    """For each text column of a staging table the field of the file, and as much of the text as the column holds."""
    file = {"staging_events": "log_events.json", "staging_songs": "songs.json"}[table]
    paths = json.loads((PROJECT / "include" / "jsonpaths" / file).read_text())["jsonpaths"]
    columns = [item for item in created_tables()[table].items() if item[0] not in ("log_date", "folder")]
    return {
        path.removeprefix("$['").removesuffix("']"): fitting(text, int(size[1]))
        for path, (_, kind) in zip(paths, columns, strict=True)
        if (size := re.fullmatch(r"varchar\((\d+)\)", kind))
    }


def hostile_files(log_date: date, order: int) -> dict[str, bytes]:
    """A date's events and a catalogue with every text in every text column, some of the plays of such a song."""
    events, files = [], {}
    for number, text in enumerate(TEXTS[::order]):
        fields, catalogue = texts_of("staging_events", text), texts_of("staging_songs", text)
        assert all(MARK in value for value in (*fields.values(), *catalogue.values()))
        ts = 1_541_030_400_000 + (log_date - NOV_1).days * 86_400_000 + number
        plays = {"song": catalogue["title"], "artist": catalogue["artist_name"], "length": 1.5 + number}
        events += [
            event(**fields, itemInSession=2 * number, ts=ts, userId=str(number)),
            play(**fields | plays | {"page": "NextSong"}, itemInSession=2 * number + 1, ts=ts, userId=str(number)),
        ]
        known = song("") | catalogue | {"duration": 1.5 + number}
        files[f"song_data/A/{order}{number}.json"] = json.dumps(known).encode()
    lines = (json.dumps(one, ensure_ascii=False).encode() for one in events)
    return files | {f"log_data/{log_date:%Y/%m}/{log_date}-events.json": b"\n".join(lines)}


def test_every_text_column_keeps_the_text_of_the_file(pipeline: Pipeline) -> None:
    files: dict[str, bytes] = {}
    for log_date, order in ((NOV_1, 1), (NOV_2, 1), (NOV_1, -1)):
        files |= hostile_files(log_date, order)
        pipeline.put(files)
        pipeline.run(log_date, only=WRITING)
        pipeline.assert_equals(star_schema(read_log_files(files), read_song_files(files)))
        assert pipeline.rows("select 1 from songplays where song_id is not null")


def test_a_check_shows_such_a_text_as_it_is(pipeline: Pipeline) -> None:
    files = hostile_files(NOV_1, 1)
    pipeline.put(files)
    pipeline.run(NOV_1, only=WRITING)
    with pytest.raises(DataError, match=r"staging_events\.level_is_known \(error\)"):
        pipeline.run(NOV_1, only={"check_staging"})
    shown = [
        json.loads(sample)
        for (sample,) in pipeline.rows(
            "select sample from data_quality_results where check_name = 'staging_events.level_is_known'"
        )
    ]
    levels = {row["level"] for rows in shown for row in rows}
    assert levels
    assert levels <= {fitting(text, 16) for text in TEXTS}


def test_a_line_that_was_left_out_and_a_field_that_is_unknown_are_kept_as_they_are(pipeline: Pipeline) -> None:
    wrong = [json.dumps({"userId": text}, ensure_ascii=False) for text in TEXTS]
    wrong += [text.replace("\n", " ").replace("\r", " ") for text in TEXTS[:3]]
    unknown = [event(itemInSession=number, **{text: text}) for number, text in enumerate(TEXTS)]
    lines = [*wrong, *(json.dumps(one, ensure_ascii=False) for one in unknown)]
    pipeline.put({f"log_data/2018/11/{NOV_1}-events.json": "\n".join(lines).encode()})
    with pytest.raises(DataError) as refused:
        pipeline.run(NOV_1)
    assert MARK in str(refused.value)
    pipeline.run(NOV_1, only=WRITING, max_bad_lines=len(wrong))
    assert sorted(line for (line,) in pipeline.rows("select line from staging_rejects")) == sorted(wrong)
    kept = pipeline.rows("select field, example from staging_unknown_fields")
    assert sorted(map(tuple, kept)) == sorted((text, fitting(json.dumps(text), 256)) for text in TEXTS)


def test_an_object_with_such_a_key_is_loaded_and_named_as_it_is(pipeline: Pipeline) -> None:
    # A slash would be another folder, moto knows no key with a line break, and what begins with _ is a hidden file.
    names = [re.sub(r"[/\r\n]", "-", text) for text in TEXTS]
    parts = {f"log_data/2018/11/{NOV_1}-events-{name}.json": number for number, name in enumerate(names)}
    songs = {f"song_data/A/{name}.json": number for number, name in enumerate(names)}
    good = {key: json.dumps(event(itemInSession=number)).encode() for key, number in parts.items()}
    files = good | {key: json.dumps(song(f"SO{number}")).encode() for key, number in songs.items()}
    pipeline.put({**files, **{key: data + b"\n[]" for key, data in good.items()}})
    pipeline.run(NOV_1, only=WRITING, max_bad_lines=len(parts))
    pipeline.assert_equals(star_schema(read_log_files(files), read_song_files(files)))
    assert {key for (key,) in pipeline.rows("select file_name from staged_files")} == set(songs)
    rejects = {file for (file,) in pipeline.rows("select file_name from staging_rejects")}
    assert rejects == {f"s3://{pipeline.bucket}/{key}" for key in parts}


def test_a_run_of_such_a_name_is_recorded_and_its_manifests_have_plain_keys(pipeline: Pipeline) -> None:
    pipeline.put_events(NOV_1, [play()])
    for text in TEXTS:
        for task, context in pipeline.tasks(NOV_1, only=("stage_events", "songplays", "check_staging")):
            context["ti"].run_id = text
            task.execute(context)
    for table in ("load_history", "data_quality_results"):
        assert {run_id for (run_id,) in pipeline.rows(f"select run_id from {table}")} == set(TEXTS)
    listed = pipeline.s3.list_objects_v2(Bucket=pipeline.control_bucket)["Contents"]
    assert [item["Key"] for item in listed if not re.fullmatch(r"[\w.+/-]+", item["Key"], re.ASCII)] == []
    assert [item["Key"] for item in listed if ".." in item["Key"].split("/")] == []
