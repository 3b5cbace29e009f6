"""The page's web application, which Airflow's API server mounts beside its own.

Airflow asks nobody who comes to a mounted application for a session: every route here does so, by Airflow's own means,
but for the style sheet and the script.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from sparkify.addresses import DAG_ID
from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.ui import findings, freshness, loads, log_date_states, months
from sparkify.ui.answers import Static, echo, in_words
from sparkify.ui.findings import Asked, Choice
from sparkify.ui.log_date_states import Calendar
from sparkify.ui.paging import part_of, window_of
from sparkify.ui.records import (
    MOST_RUNS,
    Run,
    add_checks,
    add_failed_tasks,
    add_outcomes,
    add_published,
    covering,
    read_run,
    read_runs,
    read_schedule,
)
from sparkify.ui.rendering import REPORT_POLICY, headers, page
from sparkify.ui.reports import Report, in_theme, in_turn
from sparkify.ui.volumes import volumes_of

FINDINGS_A_PAGE, RUNS_A_PAGE, MOST_TO_LOOK_AT, MOST_RANGES = 50, 15, 6, 2
#: The checks of so many runs are looked through at a time: those of all take the API server a second.
RUNS_LOOKED_THROUGH = 500

Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]

routes = APIRouter(
    dependencies=[
        Depends(requires_access_dag("GET", entity, DAG_ID))
        for entity in (DagAccessEntity.RUN, DagAccessEntity.TASK_INSTANCE, DagAccessEntity.XCOM)
    ],
    default_response_class=HTMLResponse,
)

read = functools.partial(routes.api_route, methods=["GET", "HEAD"])


def make_app() -> FastAPI:
    """The application; it serves the paths below the one at which it is mounted."""
    # A redirect would lead to the host that the request names, whatever it is.
    app = FastAPI(title="Sparkify", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(routes)
    app.mount("/static", Static(), name="static")
    app.add_exception_handler(HTTPException, in_words)
    app.add_exception_handler(RequestValidationError, in_words)
    return app


@read("/")
def show_calendar(request: Request, session: SessionDep, dag_id: str = DAG_ID, state: Asked = "") -> Response:
    """The calendar of all log dates, or of those in one state, and those that need a look."""
    if dag_id != DAG_ID:
        return page(request, "another_dag.html", other=echo(dag_id))
    calendar = read_calendar(session)
    dates = calendar.dates
    return page(
        request,
        "calendar.html",
        calendar=calendar,
        ranges=calendar.ranges[:MOST_RANGES],
        to_look_at=calendar.to_look_at,
        chosen=state,
        volumes=volumes_of(dates),
        most=MOST_TO_LOOK_AT,
        states=[(state, sum(found.state is state for found in dates.values())) for state in log_date_states.STATES],
        months=months.of_dates({day: found for day, found in dates.items() if state in ("", found.state.name)}),
        weekdays=months.WEEKDAYS,
    )


@read("/dates/{log_date}")
def show_date(request: Request, session: SessionDep, log_date: date) -> Response:
    """One log date: how it stands, its runs, the loads and checks of the run that decides."""
    calendar = read_calendar(session)
    dates = calendar.dates
    found = dates.get(log_date)
    run = found.run if found else None
    if run:
        # The calendar has read of it only what it shows.
        add_published(session, [run])
    return page(
        request,
        "date.html",
        log_date=log_date,
        found=found,
        unreadable=sum(each.unreadable > 0 for each in found.runs) if found else 0,
        most_runs=MOST_RUNS if calendar.is_cut else 0,
        earlier=max((other for other in dates if other < log_date), default=None),
        later=min((other for other in dates if other > log_date), default=None),
        **_details(run),
    )


@read("/run")
def show_run(request: Request, session: SessionDep, run_id: str, dag_id: str = DAG_ID) -> Response:
    """One run: its log dates, its loads and its checks."""
    if dag_id != DAG_ID:
        return page(request, "another_dag.html", other=echo(dag_id))
    run = read_run(session, run_id)
    if run is None:
        raise HTTPException(404, f"Airflow has no run {echo(run_id)} of {DAG_ID}. It may have been deleted.")
    dates = log_date_states.of_runs([run]).dates
    return page(
        request,
        "run.html",
        dates=dates,
        unreadable=int(run.unreadable > 0),
        months=months.of_dates(dates),
        weekdays=months.WEEKDAYS,
        **_details(run),
    )


@read("/checks")
def show_checks(
    request: Request,
    session: SessionDep,
    choice: Annotated[Choice, Depends()],
    number: Number = 1,
    older: Annotated[int, Query(ge=0, le=MOST_RUNS)] = 0,
) -> Response:
    """What the quality checks found, as the reader chooses, in the latest runs or in those before ``older`` of them."""
    every = read_runs(session)
    runs = [run for run in every if choice.takes_run(run)]
    looked_through = runs[older : older + RUNS_LOOKED_THROUGH]
    add_checks(session, looked_through)
    checks = findings.names(looked_through)
    return page(
        request,
        "checks.html",
        any_checked=bool(checks) or len(looked_through) < len(every),
        choice=choice,
        outcomes=findings.OUTCOMES,
        checks=sorted({*checks, choice.check} - {""}),
        part=part_of(choice.of_runs(looked_through), request, number, FINDINGS_A_PAGE),
        runs=window_of(len(runs), request, older, RUNS_LOOKED_THROUGH),
        unreadable=sum(run.unreadable > 0 for run in looked_through),
    )


@read("/loads")
def show_loads(
    request: Request, session: SessionDep, table: Asked = "", on: Asked = "", number: Number = 1
) -> Response:  # fmt: skip
    """The load history, some runs a page."""
    runs = read_runs(session)
    chosen = list(covering(runs, _date(on))) if on else runs
    part = part_of(chosen, request, number, RUNS_A_PAGE)
    add_published(session, part.items)
    every = loads.of_runs(part.items)
    return page(
        request,
        "loads.html",
        any_run=bool(runs),
        table=table,
        on=on,
        tables=sorted({load.table for load in every} | ({table} if table else set())),
        loads=[load for load in every if table in ("", load.table)],
        headings=loads.HEADINGS,
        part=part,
        unreadable=sum(run.unreadable > 0 for run in part.items),
    )


@read("/report")
async def show_report(request: Request) -> Response:
    """The latest report in a frame; or how to have one made."""
    there = await _of_report(Report.exists)
    return page(request, "report.html", 200 if there else 404, there=there)


@read("/report/latest")
async def send_report(request: Request, theme: Annotated[Literal["light", "dark"] | None, Query()] = None) -> Response:
    """The latest report itself, in light or dark colours where the page around it asks for them."""
    report = await _of_report(Report.read)
    if report is None:
        return page(request, "report.html", 404, there=False)
    if theme:
        report = in_theme(report, theme)
    return Response(report, media_type="text/html; charset=utf-8", headers=headers(REPORT_POLICY))


async def _of_report(question: Callable[[Report], Any]) -> Any:
    try:
        return await in_turn(question)
    except SettingsError as error:
        raise HTTPException(502, str(error)) from error
    except Unavailable as error:
        detail = f"{str(error).rstrip('.')}. Try again in a few seconds."
        raise HTTPException(503, detail, {"Retry-After": "5"}) from error


def read_calendar(session: Any) -> Calendar:
    """Every log date with its state, by four statements."""
    runs = read_runs(session)
    add_outcomes(session, runs)
    add_failed_tasks(session, runs)
    return log_date_states.of_runs(runs, read_schedule(session), freshness.waiting())


def _details(run: Run | None) -> dict[str, Any]:
    """What the templates show of one run."""
    return {
        "run": run,
        "loads": loads.of_runs([run] if run else []),
        "headings": loads.HEADINGS,
        "findings": findings.of_run(run) if run else [],
        "outcomes": findings.OUTCOMES,
    }


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(422, f"{echo(text)} is no date. Give it as YYYY-MM-DD.") from error
