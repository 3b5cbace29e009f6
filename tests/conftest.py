"""What tests of all folders share: a real stack, without Airflow's own programs."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk._shared.secrets_masker import reset_secrets_masker
from botocore.loaders import JSONFileLoader, Loader
from hypothesis import HealthCheck, settings
from jinja2 import Environment
from tenacity import nap
from xdist.scheduler import LoadFileScheduling

from local.stack import connections
from local.stack.home import Home
from local.stack.stack import temporary
from tests.command_line import CommandLine
from tests.faults import survival
from tests.made_schema import MadeSchema
from tests.month import PUBLISHED
from tests.pipeline import Pipeline
from tests.shared_stack import SharedStack

SLOW = [HealthCheck.too_slow]
# A busy machine makes an example slow, not wrong.
settings.register_profile("search", max_examples=3000, print_blob=True, deadline=None, suppress_health_check=SLOW)
# The same cases on every machine. To look for others: pytest --hypothesis-profile search tests/plugins
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("half", settings.get_profile("same"), max_examples=50)
settings.load_profile("same")

FAULTS = Path(survival.__file__).parent
SHARED_STACK = pytest.StashKey[SharedStack]()
# The files whose tests have the fixture `cli`: one process runs them all, for they share one stack.
OF_AIRFLOW = (
    "tests/e2e/test_month.py",
    "tests/ui/test_ui.py",
    "tests/faults/test_scheduler.py",
    "tests/faults/test_triggerer.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_week.py",
)
# The files that take longest, so that no process is left with one of them at the end.
LONGEST = (
    *OF_AIRFLOW,
    "tests/faults/test_kills.py",
    "tests/security/test_deployment.py",
    "tests/faults/test_servers.py",
    "tests/plugins/test_contract.py",
    "tests/e2e/test_alerts.py",
    "tests/e2e/test_demo.py",
    "tests/faults/test_s3.py",
    "tests/benchmarks/test_a_day_costs_a_day.py",
    "tests/dags/test_sparkify_warehouse.py",
    "tests/local/test_runs.py",
    "tests/deploy/test_services.py",
    "tests/field/test_loading.py",
    "tests/include/test_quality.py",
    "tests/field/test_times.py",
    "tests/plugins/test_any_order.py",
    "tests/plugins/test_any_value.py",
    "tests/plugins/test_wrong_input.py",
    "tests/plugins/loading/test_json_objects.py",
    "tests/security/test_odd_files.py",
    "tests/plugins/report/test_charts.py",
    "tests/test_add_pages.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switches for what a run of every night has time for."""
    parser.addoption(
        "--every-statement",
        action="store_true",
        help="Kill each task at every statement, let it meet every fault in every phase, and load the month by a "
        "backfill in both directions and under both isolations. Without it: one statement of each phase, one backfill.",
    )
    parser.addoption(
        "--every-airflow",
        action="store_true",
        help="Install and run each supported Airflow as a service has it. Without it: the oldest.",
    )


@pytest.fixture(scope="session")
def every_statement(pytestconfig: pytest.Config) -> bool:
    """Whether the run has time for more than one case of a kind."""
    return bool(pytestconfig.getoption("every_statement"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    first = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(file_of(item.nodeid), len(first)))
    with_stack = {file_of(item.nodeid) for item in items if "cli" in getattr(item, "fixturenames", ())}
    if unnamed := with_stack - {*OF_AIRFLOW}:
        raise pytest.UsageError(f"Name in OF_AIRFLOW, in tests/conftest.py, what uses cli: {', '.join(unnamed)}")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: gzip writes the time into them, and all processes must call a test the same."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file alone, or a folder, whose every test the command line leaves out: its imports take seconds."""
    left_out = marks_left_out(config.option.markexpr)
    asked_for = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    if not left_out or collection_path in asked_for:
        return None
    files = list(collection_path.rglob("test_*.py")) if collection_path.is_dir() else [collection_path]
    tests = [file.read_text() for file in files if file.match("test_*.py")]
    return True if tests and all(mark_of(test) in left_out for test in tests) else None


def marks_left_out(expression: str) -> set[str]:
    """The marks of which an expression as that of `make test`, ``not (a or b)``, wants none; of another kind, none."""
    found = re.fullmatch(r"not \((\w+(?: or \w+)*)\)", expression)
    return set(found[1].split(" or ")) if found else set()


def mark_of(source: str) -> str | None:
    """The mark that a test file gives to all of its tests, or None."""
    found = re.search(r"^pytestmark = pytest\.mark\.(\w+)$", source, re.MULTILINE)
    return found[1] if found else None


def file_of(nodeid: str) -> str:
    """The file that a test is in."""
    return nodeid.partition("::")[0]


class FilesOrStack(LoadFileScheduling):
    """Gives a file to one process, and the files of :data:`OF_AIRFLOW` to the same."""

    def _split_scope(self, nodeid: str) -> str:
        return OF_AIRFLOW[0] if file_of(nodeid) in OF_AIRFLOW else file_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesOrStack:
    """Keep the files together that share a stack."""
    return FilesOrStack(config, log)


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Read AWS's descriptions, split the schema files and compile the templates once, and look up no caller.

    Each client and each task does so again, as is right for a process of its own; here that is half of a task's time.
    """
    split = functools.cache(DbApiHook.split_sql_string)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", functools.cache(JSONFileLoader().load_file).__call__)
        patch.setattr(Loader, "list_available_services", functools.cache(Loader().list_available_services).__call__)
        patch.setattr(DbApiHook, "split_sql_string", staticmethod(lambda *given, **more: list(split(*given, **more))))
        patch.setattr(Environment, "compile", compile_once(Environment.compile))
        # For the user agent it reads the source of all that is being called, of which pytest is most.
        patch.setattr(AwsGenericHook, "_get_caller", lambda *_: "Unknown")
        yield


def compile_once(compile_template: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja's own, which a second environment of the same kind asks for a text no second time."""
    compiled: dict[object, Any] = {}

    def compile_(env: Environment, source: Any, *given: Any, **more: Any) -> Any:
        if not isinstance(source, str):
            return compile_template(env, source, *given, **more)
        # What is constant in a template is worked out as it is compiled, by filters and tests too.
        kind = (type(env), env.undefined, env.autoescape, env.trim_blocks, env.lstrip_blocks, *env.extensions)
        by = (frozenset(env.filters.items()), frozenset(env.tests.items()))
        key = (kind, by, source, given, frozenset(more.items()))
        if key not in compiled:
            compiled[key] = compile_template(env, source, *given, **more)
        return compiled[key]

    return compile_


@pytest.fixture(autouse=True)
def forget_secrets() -> Iterator[None]:
    """Forget what a test's connections made Airflow mask.

    It masks all that a process ever had, by one expression that grows with each and is compiled again with each.
    """
    yield
    reset_secrets_masker()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds each the hook of the warehouse would have waited between its tries; here it does not."""
    waited: list[float] = []
    monkeypatch.setattr(nap, "time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def count_case(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Call it once a case of a property: the number is shown at the end of the run."""
    counted: list[tuple[str, object]] = request.node.user_properties
    return lambda: counted.append(("case", None))


def pytest_report_header() -> str:
    """Say which month the tests load."""
    return f"month: {'the published one' if PUBLISHED.is_dir() else 'a small one, for the published one is not there'}"


def properties(config: pytest.Config) -> Iterator[tuple[str, str, object]]:
    """What the tests that ran have told: each test's name, and a property's name and value."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    for outcome in ("passed", "failed"):
        for report in reporter.getreports(outcome):
            yield from ((report.nodeid, name, value) for name, value in report.user_properties)


def all_faults_were_asked_for(config: pytest.Config) -> bool:
    """Whether the command line leaves out none of the tests in tests/faults."""
    options = config.option
    narrowed = options.keyword or options.markexpr not in ("", "faults") or options.deselect or options.collectonly
    asked = [config.invocation_params.dir / argument for argument in config.args]
    return not (narrowed or getattr(options, "lf", False)) and any(map(FAULTS.is_relative_to, asked))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run of all faults that leaves a hole in the table of what is survived."""
    config = session.config
    whole = (
        exitstatus == pytest.ExitCode.OK and not hasattr(config, "workerinput") and all_faults_were_asked_for(config)
    )
    if whole and survival.Table.from_properties(properties(config)).holes():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show how many cases each property was tried on, and which faults were survived where."""
    cases = Counter(test for test, name, _ in properties(config) if name == "case")
    for test, number in cases.items():
        terminalreporter.write_line(f"{number} cases: {test}")
    table = survival.Table.from_properties(properties(config))
    if not table.survived:
        return
    terminalreporter.section(f"{table.survived.total()} faults were survived")
    for line in table.lines():
        terminalreporter.write_line(line)
    if all_faults_were_asked_for(config):
        for hole in table.holes():
            terminalreporter.write_line(f"HOLE: not survived: {hole}", red=True)


@dataclass(frozen=True)
class RunningStack:
    """How to reach the stack that the tests of a session share."""

    home: Home
    #: What a program needs in `os.environ` to find all parts, the two Airflow connections included.
    env: Mapping[str, str]
    s3: Any
    #: What `redshift_connector.connect` takes.
    redshift: Mapping[str, Any]
    bucket: str
    control_bucket: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """PostgreSQL, S3 and the Redshift stand-in in a home of their own."""
    with temporary(tmp_path_factory.mktemp("stack") / "home", ("postgres", "s3", "redshift")) as running:
        yield RunningStack(
            home=running.home,
            env=connections.environment(running.home),
            s3=connections.s3_client(running.home),
            redshift=connections.redshift_arguments(running.home),
            bucket=connections.SOURCE_BUCKET,
            control_bucket=connections.CONTROL_BUCKET,
        )


@pytest.fixture(scope="session")
def schema(stack: RunningStack) -> Iterator[MadeSchema]:
    """A schema with all tables, which tests have one after the other; a pipeline in it ends with `empty`."""
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv)
        # Without the views: some tests drop a table, and the stand-in refuses that of a table with a view.
        yield pipeline.make("tables")
        pipeline.drop()


@pytest.fixture(scope="session")
def shared_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedStack]:
    """A stack with Airflow, which is stopped and forgotten after the last file that uses it."""
    shared = SharedStack(CommandLine(tmp_path_factory.mktemp("e2e") / "home"))
    request.session.stash[SHARED_STACK] = shared
    yield shared
    shared.stop()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the shared stack as early as possible: Airflow takes its share of a processor when it has nothing to do."""
    shared = item.session.stash.get(SHARED_STACK, None)
    if shared and nextitem and file_of(nextitem.nodeid) not in OF_AIRFLOW:
        shared.stop()


@pytest.fixture(scope="module")
def cli(shared_stack: SharedStack) -> CommandLine:
    """A running stack for the tests of one file, with nothing in it of another; the file is in OF_AIRFLOW."""
    return shared_stack.emptied()


@pytest.fixture(scope="module")
def home(cli: CommandLine) -> Home:
    """The running stack's home."""
    return Home(cli.home)
