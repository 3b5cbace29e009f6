"""
### Sparkify, alerts: somebody is told

**What.** Sends a message to whom the setting `sparkify.alerts` of the connection `aws_default` names: an SNS topic, a
Slack webhook, a mailbox. A message names the log date, what failed, why, what to do, and where page and log are. No
value of a file and no row is in it.

**When.** When a run of `sparkify_daily`, `sparkify_schema`, `sparkify_report` or `sparkify_warehouse` has failed after
the last try of its tasks, and when a check has warned: one message a run. A backfill sends one when its last run has
ended. **Trigger it by hand** to try the setting: it sends the text of the form.

**When it fails.** No load is affected: the run that the message names has ended. The task's log holds the message, and
its last line says what was wrong; correct it and *clear* the task. A task is skipped where the setting names no such
recipient.
"""

from __future__ import annotations

import sparkify  # noqa: F401  # refuses another Airflow in a sentence, before a name is missing

# isort: split
from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from sparkify.alerts.tell import TellOperator
from sparkify.loading import time_limits
from sparkify.loading.retries import RETRIES

with DAG(
    dag_id="sparkify_alerts",
    description="Sends a message when a run fails or a check warns",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    # Nobody would be told that it is paused.
    is_paused_upon_creation=False,
    tags=["sparkify", "alerts"],
    params={
        "subject": Param(
            "sparkify: a test",
            type="string",
            minLength=1,
            maxLength=100,
            pattern=r"^[\x20-\x7e]+$",
            title="Subject",
            description="At most 100 characters of ASCII.",
        ),
        "text": Param(
            "This message was sent by hand, to try the setting sparkify.alerts.",
            type="string",
            minLength=1,
            maxLength=20_000,
            format="multiline",
            title="Text",
            description="The message. A run that failed writes it itself.",
        ),
    },
    default_args={
        "owner": "data-engineering",
        "execution_timeout": time_limits.AWS,
        **RETRIES,
    },
) as dag:
    TellOperator(task_id="sns", recipient="sns_topic", doc_md="Publishes to the SNS topic.")
    TellOperator(task_id="slack", recipient="slack", doc_md="Posts by the Slack webhook.")
    TellOperator(task_id="mail", recipient="smtp", doc_md="Sends a mail.")
