"""A client of Airflow's REST API, as far as backfills and triggered runs need it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from local.errors import LocalStackError, StackNotRunningError
from local.stack.connections import AIRFLOW_USER, airflow_url
from local.stack.home import Home

_PAGE = 100
_SECONDS = 60.0
UNFINISHED = frozenset({"queued", "running"})


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG; `logical_date` is as Airflow writes it, None for a run that has none."""

    run_id: str
    logical_date: str | None
    state: str

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.state not in UNFINISHED


@dataclass(frozen=True)
class FailedTask:
    """A task that failed, with the end of its last attempt's log and, after that, all that its error says."""

    task_id: str
    tries: int
    log: list[str]


class ApiConflictError(LocalStackError):
    """Airflow refused a request because of what it is doing already (409)."""


class AirflowApi:
    """A client of the home's Airflow, signed in as its user."""

    def __init__(self, home: Home) -> None:
        self._url = airflow_url(home)
        self._credentials = {"username": AIRFLOW_USER, "password": home.secret("airflow_password")}
        self._session = requests.Session()
        # A proxy of the user's must not see, or swallow, what is meant for this machine.
        self._session.trust_env = False
        self._sign_in()

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return what Airflow knows of a DAG, or None if it does not know it (yet)."""
        answer = self._request("GET", f"/dags/{dag_id}", missing_is_none=True)
        return None if answer is None or answer.get("is_stale") else answer

    def params(self, dag_id: str) -> set[str]:
        """Return the names of a DAG's params."""
        return set(self._request("GET", f"/dags/{dag_id}/details")["params"] or ())

    def import_errors(self) -> list[str]:
        """Return why DAG files could not be read."""
        answer = self._request("GET", "/importErrors")
        return [f"{error['filename']}:\n{error['stack_trace']}" for error in answer["import_errors"]]

    def get(self, path: str) -> Any:
        """Return what Airflow answers to a GET of a path of its API."""
        return self._request("GET", path)

    def unpause(self, dag_id: str) -> None:
        """Let the runs of a DAG run."""
        self._request("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> DagRun:
        """Make a run without a logical date."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        return _dag_run(self._request("POST", f"/dags/{dag_id}/dagRuns", json=body))

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """Return how a run is."""
        return _dag_run(self._request("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def runs(self, dag_id: str, first: str, last: str) -> Iterator[DagRun]:
        """Return the runs with logical dates from `first` to `last` (ISO 8601), both included."""
        offset = 0
        while True:
            answer = self._request(
                "GET",
                f"/dags/{dag_id}/dagRuns",
                params={
                    "logical_date_gte": first, "logical_date_lte": last, "order_by": "logical_date",
                    "limit": _PAGE, "offset": offset,
                },
            )  # fmt: skip
            yield from map(_dag_run, answer["dag_runs"])
            offset += _PAGE
            if offset >= answer["total_entries"]:
                return

    def active_backfill(self, dag_id: str) -> int | None:
        """Return the number of the DAG's backfill that Airflow does not call completed, if there is one."""
        answer = self._request("GET", "/backfills", params={"dag_id": dag_id, "order_by": "-id", "limit": _PAGE})
        return next((b["id"] for b in answer["backfills"] if b["completed_at"] is None), None)

    def backfill_dates(self, request: dict[str, Any]) -> list[str]:
        """Return the logical dates for which a backfill would make or repeat a run."""
        answer = self._request("POST", "/backfills/dry_run", json=request)
        return [backfill["logical_date"] for backfill in answer["backfills"]]

    def create_backfill(self, request: dict[str, Any]) -> int:
        """Make a backfill and return its number; ApiConflictError if the DAG has an active one."""
        return int(self._request("POST", "/backfills", json=request)["id"])

    def failed_tasks(self, dag_id: str, run_id: str, lines: int) -> list[FailedTask]:
        """Return the failed tasks of a run with the last `lines` lines of their logs; more, if the error has more."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        answer = self._request("GET", path, params={"state": "failed", "limit": _PAGE})
        return [
            FailedTask(
                task["task_id"],
                task["try_number"],
                self._log(f"{path}/{task['task_id']}/logs/{task['try_number']}", task["map_index"], lines),
            )
            for task in answer["task_instances"]
        ]

    def _log(self, path: str, map_index: int, lines: int) -> list[str]:
        answer = self._request(
            "GET", path, params={"full_content": "true", "map_index": map_index}, missing_is_none=True
        )
        if answer is None:
            return ["(it has no log)"]
        told = _without_groups(line for entry in answer["content"] for line in _log_lines(entry))
        errors = [line for entry in answer["content"] for line in _error_lines(entry)]
        room = max(0, lines - len(errors))
        return told[max(0, len(told) - room) :] + errors

    def _sign_in(self) -> None:
        try:
            answer = self._session.post(f"{self._url}/auth/token", json=self._credentials, timeout=_SECONDS)
        except requests.ConnectionError as error:
            raise StackNotRunningError(
                f"Airflow does not answer on {self._url}. Start it with `python -m local up`."
            ) from error
        if answer.status_code != requests.codes.created:
            raise LocalStackError(f"Airflow did not let {AIRFLOW_USER} sign in: {answer.text}")
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _request(self, method: str, path: str, *, missing_is_none: bool = False, **arguments: Any) -> Any:
        answer = self._send(method, path, arguments)
        if answer.status_code == requests.codes.unauthorized:
            self._sign_in()
            answer = self._send(method, path, arguments)
        if answer.status_code == requests.codes.not_found and missing_is_none:
            return None
        if answer.status_code == requests.codes.conflict:
            raise ApiConflictError(f"Airflow refused: {_detail(answer)}")
        if not answer.ok:
            raise LocalStackError(f"Airflow refused ({answer.status_code}): {_detail(answer)}")
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, arguments: dict[str, Any]) -> requests.Response:
        try:
            return self._session.request(method, f"{self._url}/api/v2{path}", timeout=_SECONDS, **arguments)
        except requests.RequestException as error:
            raise StackNotRunningError(
                f"Airflow stopped answering on {self._url} ({error}). See `python -m local status`."
            ) from error


def wait_for_dag(api: AirflowApi, dag_id: str, seconds: float = 45.0) -> dict[str, Any]:
    """Return what Airflow knows of a DAG, as soon as it has read the DAG's file."""
    deadline = time.monotonic() + seconds
    while (dag := api.dag(dag_id)) is None or dag.get("has_import_errors"):
        errors = api.import_errors()
        if errors:
            raise LocalStackError(f"Airflow cannot read the DAG files:\n{''.join(errors)}")
        if time.monotonic() > deadline:
            raise LocalStackError(
                f"Airflow knows no DAG {dag_id}, {seconds:.0f} seconds on. Give one that it lists in its UI."
            )
        time.sleep(0.5)
    return dag


def _dag_run(answer: dict[str, Any]) -> DagRun:
    return DagRun(answer["dag_run_id"], answer["logical_date"], answer["state"])


def _detail(answer: requests.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.text
    return detail if isinstance(detail, str) else str(detail)


def _without_groups(lines: Iterable[str]) -> list[str]:
    """Leave out what Airflow folds away in its UI: how it prepared the task, and cleaned up after it."""
    kept: list[str] = []
    folded = False
    for line in lines:
        if line.startswith("::group::"):
            folded = True
        elif line.startswith("::endgroup::"):
            folded = False
        elif not folded:
            kept.append(line)
    return kept


def _log_lines(entry: dict[str, Any] | str) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    lines = str(entry.get("event", "")).splitlines()
    # Airflow leaves the group open when the task failed in it.
    return ["::endgroup::", *lines] if entry.get("error_detail") else lines


def _error_lines(entry: dict[str, Any] | str) -> list[str]:
    errors = [] if isinstance(entry, str) else entry.get("error_detail") or []
    return [line for error in errors for line in f"{error.get('exc_type')}: {error.get('exc_value')}".splitlines()]
