"""The project's rules on what stands where, each a function of a project's folder that gives complaints.

A complaint begins with file and line. An empty list means that the rule holds.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

PRODUCTION = ("dags", "plugins", "include")

# What each room may import besides Python's own library. botocore is what the Amazon provider raises; the driver
# redshift_connector says what a connection may hold; msgspec reads values as files have them, and pydantic records as
# they must be; altair and vl_convert draw the report; openlineage is there where its provider asks; the others are what
# Airflow renders and its own pages are made with.
ALLOWED_IMPORTS = {
    "dags": {"airflow", "sparkify"},
    "plugins": {
        *("airflow", "sparkify", "altair", "botocore", "fastapi", "jinja2", "markupsafe", "msgspec", "openlineage"),
        *("pydantic", "redshift_connector", "sqlalchemy", "starlette", "vl_convert"),
    },
}

# What each room of the package may import of the package itself, besides its own modules and those at the top.
# loading knows no operator and no Sparkify; the four products beside the load know loading and not one another.
ARROWS = {
    # At the top: the declarations of tables.
    "": {"loading"},
    "loading": set(),
    "operators": {"loading"},
    "alerts": {"loading"},
    "cluster": {"loading"},
    "report": {"loading"},
    "ui": {"loading"},
}

LOCAL_PACKAGE = re.compile(r"(?<![\w/.])local(?:/|\.[a-z_])|-m local\b")

STAND_INS = re.compile(
    r"\bstand-?in\b|\bmoto\b|\bmock|localstack|localhost|127\.0\.0\.1|\[?::1\]|\bendpoint_url\b|AWS_ENDPOINT"
    r"|SPARKIFY_HOME|SPARKIFY_POSTGRES|\bversion\(\)",
    re.IGNORECASE,
)

TELLTALES = re.compile(r"endpoint_url|hostname|host|port|is_local|local|server_version|environ|getenv|platform")

SQL_TEXT = re.compile(
    r"\bselect\b.+\bfrom\b|\binsert\s+into\b|\bdelete\s+from\b|\bupdate\s+\S+\s+set\b|\btruncate\s+\w|\bmerge\s+into\b"
    r"|\b(create|drop|alter)\s+(or\s+replace\s+|temp\s+|temporary\s+)*(table|view|schema)\b|\bcopy\s+\S+\s+from\b"
    r"|\b(grant|revoke)\s+\w+\s+on\b|\block\s+(table\s+)?\w+;|^\s*select\s",
    re.IGNORECASE | re.DOTALL,
)

DAG_ARGUMENTS = {"dag_id", "catchup", "description", "doc_md", "max_active_runs", "schedule", "start_date", "tags"}


def python_files(folder: Path) -> list[Path]:
    """The Python files below *folder*."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def text_files(folder: Path) -> list[Path]:
    """All files below *folder* that are written by hand."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def naming_the_local_package(project: Path) -> list[str]:
    """Nothing in production names the package ``local``, in code, SQL or words."""
    complaints = [
        f"{place} imports {module}, and production runs without local/"
        for room in PRODUCTION
        for place, module in _imports(project, room)
        if module.split(".")[0] == "local"
    ]
    return complaints + [
        f"{place} names the package local, and production runs without it"
        for place, line in _lines(project, PRODUCTION)
        if LOCAL_PACKAGE.search(line)
    ]


def importing_what_a_room_may_not(project: Path) -> list[str]:
    """DAGs import Airflow and our operators; those import Airflow and its providers; local imports no DAG."""
    complaints = []
    for room, allowed in ALLOWED_IMPORTS.items():
        for place, module in _imports(project, room):
            top = module.split(".")[0]
            if top not in allowed and top not in sys.stdlib_module_names:
                complaints.append(
                    f"{place} imports {module}, which {room}/ may not. It may: {', '.join(sorted(allowed))}"
                )
    dag_modules = {"dags", *(path.stem for path in python_files(project / "dags"))}
    for place, module in _imports(project, "local"):
        if module.split(".")[0] in dag_modules:
            complaints.append(f"{place} imports {module}: local/ reaches DAGs through Airflow only")
    complaints += [
        f"{path.relative_to(project)}:1 is Python, and include/ is read, not run"
        for path in python_files(project / "include")
    ]
    return complaints


def rooms_that_import_each_other(project: Path) -> list[str]:
    """Within the package imports follow the arrows of :data:`ARROWS`, and the stand-in imports nothing of local/."""
    complaints = []
    for path in python_files(project / "plugins" / "sparkify"):
        parts = path.relative_to(project / "plugins" / "sparkify").parts
        room = parts[0] if len(parts) > 1 else ""
        for place, module in _imports(project, str(path.relative_to(project))):
            target = module.split(".")[1] if module.startswith("sparkify.") else ""
            is_room = (project / "plugins" / "sparkify" / target).is_dir() and target != ""
            if is_room and target != room and target not in ARROWS.get(room, set()):
                complaints.append(f"{place} imports {module}, which {room or 'the top'} may not")
    complaints += [
        f"{place} imports {module}: the stand-in imports nothing of the rest"
        for place, module in _imports(project, "local/redshift")
        if module.split(".")[0] == "local" and not module.startswith("local.redshift")
    ]
    return complaints


def circles_of_imports(project: Path) -> list[str]:
    """No module is imported, through others, by what it imports itself; imports for types alone do not count."""
    places: dict[str, Path] = {}
    for root, room in ((project / "plugins", "plugins"), (project, "local"), (project, "benchmarks")):
        for path in python_files(project / room):
            names = path.relative_to(root).with_suffix("").parts
            name = ".".join(names[:-1] if names[-1] == "__init__" else names)
            places[name] = path
    graph = {
        name: {found for found in _imported_when_run(path, places) if found in places and found != name}
        for name, path in places.items()
    }
    complaints = []
    for name in sorted(graph):
        seen: set[str] = set()
        waiting = list(graph[name])
        while waiting:
            found = waiting.pop()
            if found == name:
                complaints.append(f"{places[name].relative_to(project)}:1 is imported by what it imports")
                break
            if found not in seen:
                seen.add(found)
                waiting += graph[found]
    return complaints


def telling_the_real_warehouse_from_another(project: Path) -> list[str]:
    """Production neither mentions a stand-in nor decides anything by where it is connected to."""
    complaints = [
        f"{place} says {found[0]!r}: production does not know what it is connected to"
        for place, line in _lines(project, PRODUCTION)
        if (found := STAND_INS.search(line))
    ]
    for room in ("dags", "plugins"):
        for path in python_files(project / room):
            for condition in _conditions(ast.parse(path.read_text())):
                for word in _words(condition):
                    if TELLTALES.fullmatch(word):
                        place = f"{path.relative_to(project)}:{condition.lineno}"
                        complaints.append(f"{place} decides by {word!r}: what runs must not depend on where it runs")
    return complaints


def settings_from_elsewhere_than_connections(project: Path) -> list[str]:
    """Settings come from Airflow's connections: no Variable, no environment."""
    complaints = []
    for room in ("dags", "plugins"):
        for path in python_files(project / room):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [node.id] if isinstance(node, ast.Name) else []
                names += [node.attr] if isinstance(node, ast.Attribute) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
                for name in names:
                    if name in ("Variable", "environ", "getenv"):
                        place = f"{path.relative_to(project)}:{getattr(node, 'lineno', 1)}"
                        complaints.append(f"{place} uses {name}, and settings come from the connections alone")
    return complaints


def sql_in_dag_files(project: Path) -> list[str]:
    """A DAG file says which SQL file runs; the SQL is in that file."""
    complaints = []
    for path in python_files(project / "dags"):
        tree = ast.parse(path.read_text())
        documentation = _documentation(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                text = node.value
            elif isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            else:
                continue
            if SQL_TEXT.search(text):
                place = f"{path.relative_to(project)}:{node.lineno}"
                complaints.append(f"{place} holds SQL ({text.strip()[:40]!r}): put it into a file of include/sql/")
    return complaints


def dags_that_leave_arguments_to_defaults(project: Path) -> list[str]:
    """What decides when and how a DAG runs is written in its file, not left to a deployment's configuration."""
    complaints = []
    for path in python_files(project / "dags"):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("DAG", "dag")
        ]
        if not calls:
            complaints.append(f"{path.relative_to(project)}:1 makes no DAG")
        for call in calls:
            complaints += [
                f"{path.relative_to(project)}:{call.lineno} leaves {missing} of its DAG to the default"
                for missing in sorted(DAG_ARGUMENTS - {keyword.arg for keyword in call.keywords})
            ]
    return complaints


def names_that_hide_each_other(project: Path) -> list[str]:
    """dags/ and plugins/ are both on ``sys.path``: a name stands for one module, and none for Python's own."""
    dags = {path.stem: path for path in python_files(project / "dags")}
    plugins = {path.stem: path for path in (project / "plugins").glob("*.py")}
    packages = {path.parent.name: path for path in (project / "plugins").glob("*/__init__.py")}
    complaints = [
        f"{path.relative_to(project)}:1 has the name of {(plugins | packages)[name].relative_to(project)}"
        for name, path in dags.items()
        if name in plugins | packages
    ]
    complaints += [
        f"{path.relative_to(project)}:1 has the name of a module of Python's own"
        for name, path in (dags | plugins | packages).items()
        if name in sys.stdlib_module_names
    ]
    ignore = project / "plugins" / ".airflowignore"
    ignored = ignore.read_text().split() if ignore.is_file() else []
    return complaints + [
        f"plugins/.airflowignore:1 does not list {name}/, so Airflow runs its modules once more as plugins"
        for name in packages
        if f"{name}/" not in ignored
    ]


def _imported_when_run(path: Path, known: Collection[str]) -> Iterator[str]:
    """The modules that are imported as this one is, with those below ``from package import module``."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names
            # ``from package import module`` needs the module alone.
            if not all(name in known for name in names):
                yield node.module
        waiting += ast.iter_child_nodes(node)


def _imports(project: Path, room: str) -> Iterator[tuple[str, str]]:
    folder = project / room
    for path in [folder] if folder.is_file() else python_files(folder):
        for node in ast.walk(ast.parse(path.read_text())):
            place = f"{path.relative_to(project)}:{getattr(node, 'lineno', 1)}"
            if isinstance(node, ast.Import):
                yield from ((place, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield place, node.module or ""


def _lines(project: Path, rooms: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for room in rooms:
        for path in text_files(project / room):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                yield f"{path.relative_to(project)}:{number}", line


def _conditions(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.Match):
            yield node.subject


def _words(condition: ast.expr) -> Iterator[str]:
    for node in ast.walk(condition):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _documentation(tree: ast.Module) -> set[int]:
    """The ids of the text nodes that people read: docstrings, doc_md, descriptions and titles."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
        elif isinstance(node, ast.keyword) and node.arg in ("doc_md", "description", "title", "reason"):
            found.update(id(part) for part in ast.walk(node.value))
    return found
