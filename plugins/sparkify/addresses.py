"""The addresses of the page, of runs in Airflow's UI and of folders in the AWS console."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote, urlencode, urlsplit

from airflow.configuration import conf

#: The DAG whose log dates the page shows.
DAG_ID = "sparkify_daily"
#: The page's name in Airflow's addresses, and where its app is mounted.
ROUTE = "sparkify"
PREFIX = f"/{ROUTE}"

# A partition of AWS has a console of its own, and is known by how its regions' names begin
# (https://docs.aws.amazon.com/general/latest/gr/rande.html).
CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com", "": "console.aws.amazon.com"}


def airflow_url() -> str:
    """Airflow's own address as its users type it, without a slash at the end; '' where none is configured."""
    return str(conf.get("api", "base_url", fallback="") or "").rstrip("/")


def page_path() -> str:
    """The path of the page on the server; a deployment may keep all of Airflow below a path of its own."""
    return f"{urlsplit(airflow_url()).path}{PREFIX}"


def framed(path: str) -> str:
    """The address that shows a path of the page inside Airflow's UI."""
    return f"{airflow_url()}/plugin/{ROUTE}{page_path()}/{path}"


def date_path(log_date: date) -> str:
    """The path of a log date on the page."""
    return f"dates/{log_date}"


def run_path(dag_id: str, run_id: str) -> str:
    """The path of a run in Airflow's UI."""
    return f"/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def console_url(bucket: str, prefix: str, region: str | None) -> str:
    """The address at which the AWS console shows a folder of a bucket."""
    console = next(name for start, name in CONSOLES.items() if (region or "").startswith(start))
    query = {"prefix": prefix, **({"region": region} if region else {})}
    return f"https://{console}/s3/buckets/{quote(bucket)}?{urlencode(query, safe='/')}"
