"""Messages about failed runs and warnings, by Airflow's own scheduler, an SNS topic with a queue and a mail server.

docs/arrival-and-alerts.md holds the messages; a test compares them, or writes them if WRITE_ALERTS is set.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from local.s3 import REGION
from local.stack.airflow_api import AirflowApi
from local.stack.airflow_settings import NOTED
from local.stack.connections import SOURCE_BUCKET, airflow_connections, airflow_url, s3_client, s3_endpoint
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.examples import event
from tests.faults.ground import wait_until
from tests.mail_server import MailServer, mail_server
from tests.pipeline import PROJECT

pytestmark = pytest.mark.story

PAGE = PROJECT / "docs" / "arrival-and-alerts.md"
BEGIN, END = "<!-- Written by: WRITE_ALERTS=1 pytest tests/e2e/test_alerts.py -->", "<!-- End of the messages -->"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:sparkify-alerts"
DAILY, ALERTS = "sparkify_daily", "sparkify_alerts"
REFUSED, WARNED, LATE, UNTOLD = date(2018, 11, 1), date(2018, 11, 2), date(2018, 11, 3), date(2018, 11, 4)
FIRST_OF_BACKFILL, LAST_OF_BACKFILL = date(2018, 11, 10), date(2018, 11, 12)
# What is known of a person, as a file may have it where a number belongs, or anything at all.
PERSONAL = ("Wilhelmina", "Featherstonehaugh", "+44 7700 900123", "wilhelmina@example.com")


def file_of(log_date: date, *lines: dict[str, Any]) -> dict[str, bytes]:
    """A date's file."""
    noon = int(datetime(log_date.year, log_date.month, log_date.day, 12, tzinfo=UTC).timestamp() * 1000)
    text = "\n".join(json.dumps({"ts": noon + number} | one) for number, one in enumerate(lines))
    return {f"log_data/{log_date:%Y/%m}/{log_date}-events.json": text.encode()}


def of_somebody(**changes: Any) -> dict[str, Any]:
    """An event of a person who must not be in a message, without the time that `file_of` gives it."""
    about = {"firstName": PERSONAL[0], "lastName": PERSONAL[1]}
    return {name: value for name, value in (event() | about | changes).items() if name != "ts"}


@dataclass
class Ground:
    """A stack whose Airflow tells a topic, with its queue, and a mail server."""

    cli: CommandLine
    home: Home
    mails: MailServer
    messages: list[dict[str, str]] = field(default_factory=list)

    def aws(self, service: str) -> Any:
        """A client of the stack's AWS."""
        session = boto3.Session(
            self.home.secret("aws_access_key_id"), self.home.secret("aws_secret_access_key"), region_name=REGION
        )
        client: Any = session.client(service, endpoint_url=s3_endpoint(self.home))  # type: ignore[call-overload]
        return client

    def open(self) -> None:
        """Make topic and queue."""
        self.queue = self.aws("sqs").create_queue(QueueName="told")["QueueUrl"]
        arn = self.aws("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        self.aws("sns").create_topic(Name=TOPIC.rpartition(":")[2])
        self.aws("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

    def put(self, files: dict[str, bytes]) -> None:
        """Deliver files."""
        for key, data in files.items():
            s3_client(self.home).put_object(Bucket=SOURCE_BUCKET, Key=key, Body=data)

    def told(self) -> list[dict[str, str]]:
        """The messages that came to the queue since it was last asked, when every run of the alerts has ended."""
        path = f"/dags/{ALERTS}/dagRuns?state=running&state=queued"
        wait_until(lambda: not AirflowApi(self.home).get(path)["dag_runs"], "a message is not sent")
        found: list[dict[str, str]] = []
        while answer := self.aws("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for one in answer:
                found.append(json.loads(one["Body"]))
                self.aws("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        self.messages += found
        return found

    def runs_of_alerts(self) -> list[dict[str, Any]]:
        """The runs that sent messages, the oldest first."""
        found: list[dict[str, Any]] = AirflowApi(self.home).get(f"/dags/{ALERTS}/dagRuns?order_by=id&limit=100")[
            "dag_runs"
        ]
        return found


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The stack; nothing is loaded yet."""
    running = CommandLine(tmp_path_factory.mktemp("alerts") / "home")
    try:
        # The first start chooses the ports, which the connections name.
        running.run("up")
        with mail_server() as mails:
            home = Home(running.home)
            home.set_mark(NOTED, json.dumps(connections_of(home, mails.port)))
            running.run("up")
            found = Ground(running, home, mails)
            found.open()
            yield found
    finally:
        running.run("down", "--purge")


def connections_of(home: Home, mail_port: int) -> dict[str, str]:
    """The stack's own connection with somebody to tell, and the mail server's."""
    aws = json.loads(airflow_connections(home)["AIRFLOW_CONN_AWS_DEFAULT"])
    aws["extra"]["service_config"]["sparkify"] |= {
        "arrive_by_hours": 0,
        "alerts": {"sns_topic": TOPIC, "smtp": "alerts_mail", "mail_to": "team@example.com, lead@example.com"},
    }
    mail = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": mail_port,
        "extra": {"from_email": "airflow@example.com", "disable_ssl": True, "disable_tls": True, "timeout": 5},
    }
    return {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws), "AIRFLOW_CONN_ALERTS_MAIL": json.dumps(mail)}


def test_a_run_whose_tasks_fail_is_told_of_once_without_a_personal_value(ground: Ground) -> None:
    lines = (
        of_somebody(),
        of_somebody(userId=PERSONAL[2]),
        of_somebody(itemInSession=PERSONAL[3]),
    )
    ground.put(file_of(REFUSED, *lines) | {"song_data/A/A/A/TRA.json": json.dumps({"year": PERSONAL[0]}).encode()})
    ground.cli.run("trigger", str(REFUSED), expect=1)
    (message,) = ground.told()
    assert message["Subject"] == f"{DAILY}: the manual run of {REFUSED} failed in 2 tasks"
    text = message["Message"]
    assert "stage_events failed after 1 try." in text
    assert "stage_songs failed after 1 try." in text
    assert f"{REFUSED}-events.json, line 2, column user_id: " in text
    assert "What to do: Fix what it names, then clear the failed task" in text
    assert f"Log date: {airflow_url(ground.home)}/plugin/sparkify/sparkify/dates/{REFUSED}" in text
    assert re.search(rf"Log: {airflow_url(ground.home)}/dags/{DAILY}/runs/\S+/tasks/stage_events\?try_number=1", text)
    (mail,) = ground.mails.mails
    (run,) = ground.runs_of_alerts()
    assert run["state"] == "success"
    kept = f"{message}{body_of(mail)}{mail}{run['conf']}{logs_of_alerts(ground.home)}"
    assert [value for value in PERSONAL if value in kept] == []
    assert [name for name in ("aws_secret_access_key", "airflow_password") if ground.home.secret(name) in kept] == []


def test_a_mail_says_the_same_to_each_recipient(ground: Ground) -> None:
    (mail,), (message,) = ground.mails.mails, ground.messages
    assert mail["Subject"] == message["Subject"]
    assert body_of(mail).strip() == f"<pre>{html.escape(message['Message'], quote=False)}</pre>".strip()
    assert sorted(ground.mails.recipients) == ["<lead@example.com>", "<team@example.com>"]


def test_a_broken_check_of_severity_warn_is_told_of_without_its_rows(ground: Ground) -> None:
    s3_client(ground.home).delete_object(Bucket=SOURCE_BUCKET, Key="song_data/A/A/A/TRA.json")
    ground.put({"song_data/A/A/A/TRB.json": json.dumps({"song_id": "SO1", "title": "T", "duration": 1.5}).encode()})
    ground.put(file_of(WARNED, of_somebody(), of_somebody(itemInSession=1, page=PERSONAL[3])))
    ground.cli.run("trigger", str(WARNED))
    (message,) = ground.told()
    assert re.fullmatch(rf"{DAILY}: \d+ checks? warned of {WARNED}", message["Subject"])
    assert "  staging_events.page_is_known: 1 row against: " in message["Message"]
    assert [value for value in PERSONAL if value in str(message)] == []


def test_a_date_that_is_not_there_by_its_deadline_is_told_of(ground: Ground) -> None:
    ground.cli.run("trigger", str(LATE), "--param", "missing_file=wait", expect=1)
    (message,) = ground.told()
    assert message["Subject"] == f"{DAILY}: {LATE} was not loaded by its deadline"
    assert f"No file for log date {LATE}: expected s3://{SOURCE_BUCKET}/log_data/2018/11/{LATE}" in message["Message"]
    assert "It was due by " in message["Message"]
    assert "What to do: Deliver the file" in message["Message"]


def test_a_run_of_which_there_is_nothing_to_tell_tells_nothing(ground: Ground) -> None:
    before = len(ground.runs_of_alerts())
    ground.put(file_of(WARNED, of_somebody()))
    ground.cli.run("trigger", str(WARNED))
    warned = "staging_events.page_is_known"
    assert ground.cli.value(f"select count(*) from data_quality_results where check_name = '{warned}' and passed") >= 1
    told = ground.told()
    assert [one for one in told if "failed" in one["Subject"] or warned in one["Message"]] == []
    assert len(ground.runs_of_alerts()) == before + len(told)


def test_a_backfill_is_told_of_once_when_its_last_run_has_ended(ground: Ground) -> None:
    ground.put(file_of(FIRST_OF_BACKFILL + timedelta(1), of_somebody()))
    ground.cli.run("backfill", str(FIRST_OF_BACKFILL), str(LAST_OF_BACKFILL), expect=1)
    (message,) = ground.told()
    assert message["Message"].startswith(
        f"{DAILY}: the backfill of {FIRST_OF_BACKFILL} to {LAST_OF_BACKFILL} has ended, 2 of 3 runs failed."
    )
    for log_date in (FIRST_OF_BACKFILL, LAST_OF_BACKFILL):
        assert f"{log_date}: stage_events failed after 1 try.\n  No file for log date {log_date}" in message["Message"]


def test_the_page_shows_the_messages_as_they_came(ground: Ground) -> None:
    refused, warned, late, *_, backfill = ground.messages
    parts = {
        "A failed run": refused,
        "A check that warned": warned,
        "A date that was not loaded by its deadline": late,
        "A backfill": backfill,
    }
    shown = "\n\n".join(f"### {title}\n\n```text\n{as_shown(ground, one)}\n```" for title, one in parts.items())
    page = PAGE.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    if os.environ.get("WRITE_ALERTS"):
        PAGE.write_text(f"{page[:begin]}\n\n{shown}\n\n{page[end:]}")
    else:
        assert page[begin:end].strip() == shown, f"{PAGE.name} says otherwise. To write it again: {BEGIN[17:-4]}"


def test_a_topic_that_is_gone_changes_no_state_of_a_load(ground: Ground) -> None:
    ground.aws("sns").delete_topic(TopicArn=TOPIC)
    ground.cli.run("trigger", str(UNTOLD), expect=1)
    mails = len(ground.mails.mails)
    assert ground.told() == []
    api = AirflowApi(ground.home)
    (run,) = (one for one in api.get(f"/dags/{DAILY}/dagRuns?order_by=-id&limit=1")["dag_runs"])
    states = states_of(api, DAILY, run["dag_run_id"])
    assert (run["state"], states["stage_events"], states["tables"]) == ("failed", "failed", "success")
    told = ground.runs_of_alerts()[-1]
    assert states_of(api, ALERTS, told["dag_run_id"]) == {"sns": "failed", "slack": "skipped", "mail": "success"}
    assert f"Could not publish to {TOPIC}" in logs_of_alerts(ground.home)
    assert len(ground.mails.mails) >= mails
    assert str(UNTOLD) in str(ground.mails.mails[-1]["Subject"])


def body_of(mail: EmailMessage) -> str:
    """The mail's one part of text."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def states_of(api: AirflowApi, dag_id: str, run_id: str) -> dict[str, str]:
    """Each task's state."""
    tasks = api.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
    return {task["task_id"]: task["state"] for task in tasks}


def logs_of_alerts(home: Home) -> str:
    """What the tasks that send have logged."""
    return "\n".join(log.read_text() for log in (home.airflow / "logs").glob(f"dag_id={ALERTS}/**/*.log"))


def as_shown(ground: Ground, message: dict[str, str]) -> str:
    """A message as the page has it: of an Airflow and a bucket that everybody could have, at a day of then."""
    text = message["Message"].replace(airflow_url(ground.home), "https://my-airflow")
    text = text.replace(f"s3://{SOURCE_BUCKET}/", "s3://my-bucket/")
    text = re.sub(r"/runs/manual__[^/\s]+", "/runs/manual__2018-11-05", text)
    text = re.sub(r"due by \d{4}-\d\d-\d\d \d\d:\d\d", "due by 2018-11-04 12:00", text)
    return f"Subject: {message['Subject']}\n\n{text}".strip()
