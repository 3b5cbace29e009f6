"""What the package adds to Airflow's UI: the Sparkify page, links on tasks, a note on each run, messages."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from sparkify.addresses import PREFIX, ROUTE, page_path
from sparkify.alerts import run_ends
from sparkify.ui import run_notes
from sparkify.ui.links import LINKS


class Page:
    """The page's application, made when somebody first asks for it.

    Every process of Airflow reads this file, and only the API server has a use for a web application.
    """

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, as ASGI has it."""
        if self._app is None:
            from sparkify.ui.app import make_app

            self._app = make_app()
        await self._app(scope, receive, send)


class SparkifyPlugin(AirflowPlugin):
    """Read by Airflow (https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/plugins.html)."""

    name = "sparkify"
    fastapi_apps = [{"app": Page(), "url_prefix": PREFIX, "name": "Sparkify"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Sparkify",
            "href": f"{page_path()}/",
            "destination": "nav",
            "url_route": ROUTE,
            "nav_top_level": True,
            "icon": f"{page_path()}/static/icon-light.svg",
            "icon_dark_mode": f"{page_path()}/static/icon-dark.svg",
        },
        {
            "name": "Log dates",
            "href": f"{page_path()}/?dag_id={{DAG_ID}}",
            "destination": "dag",
            "url_route": "sparkify_dag",
        },
        {
            "name": "Log dates",
            "href": f"{page_path()}/run?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "sparkify_run",
        },
    ]
    operator_extra_links = LINKS
    listeners = [run_notes, run_ends]  # noqa: RUF012
