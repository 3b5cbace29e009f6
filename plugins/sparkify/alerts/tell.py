"""Sending a message."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from botocore.config import Config

from sparkify.loading.aws import client
from sparkify.loading.aws_errors import translated
from sparkify.loading.connections import get_connection
from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.loading.recipients import ALERTS
from sparkify.loading.retries import RetriesOutagesOnly
from sparkify.loading.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.recipients import Recipients

SECONDS = 10
#: Who is told waits for seconds, not for boto3's minutes; Airflow tries again.
LIMITS = Config(connect_timeout=5, read_timeout=SECONDS, retries={"total_max_attempts": 2, "mode": "standard"})


class TellOperator(RetriesOutagesOnly, BaseOperator):
    """
    Sends the run's params ``subject`` and ``text`` to one of those who are told; skipped if the settings name none.

    :param recipient: ``sns_topic``, ``slack`` or ``smtp``, as the settings call it.
    :param aws_conn_id: connection of Amazon SNS, with the settings in its extra; default ``aws_default``.
    """

    ui_color = "#f4cccc"

    def __init__(self, *, recipient: str, aws_conn_id: str = "aws_default", **kwargs: Any) -> None:
        if recipient not in SENDERS:
            raise ValueError(f"recipient {recipient!r} is unknown. Use one of {', '.join(SENDERS)}.")
        super().__init__(**kwargs)
        self.recipient = recipient
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> None:
        """Send."""
        recipients = Settings.of_connection(self.aws_conn_id).recipients
        to = getattr(recipients, self.recipient)
        if to is None:
            raise AirflowSkipException(f"Connection {self.aws_conn_id} names no sparkify.{ALERTS}.{self.recipient}.")
        params: Mapping[str, Any] = context["params"]
        self.log.info("%s\n\n%s", params["subject"], params["text"])
        SENDERS[self.recipient](self.aws_conn_id, recipients, params["subject"], params["text"])
        self.log.info("Told %s.", to)


def _by_sns(aws_conn_id: str, recipients: Recipients, subject: str, text: str) -> None:
    topic = str(recipients.sns_topic)
    with translated(f"publish to {topic}"):
        client("sns", aws_conn_id, LIMITS, region=topic.split(":")[3]).publish(
            TopicArn=topic, Subject=subject, Message=text
        )


def _by_smtp(aws_conn_id: str, recipients: Recipients, subject: str, text: str) -> None:
    # Here because a deployment may lack the provider; the settings say so.
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    conn_id = str(recipients.smtp)
    connection = get_connection(conn_id)
    sender = connection.extra_dejson.get("from_email")
    if not sender:
        raise SettingsError(f"Connection {conn_id}, extra: from_email is missing. Set it to the sender's address.")
    try:
        with SmtpHook(smtp_conn_id=conn_id) as hook:
            hook.send_email_smtp(
                to=[address.strip() for address in str(recipients.mail_to).split(",")],
                subject=subject,
                html_content=_as_html(text),
                from_email=sender,
            )
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
        raise SettingsError(
            f"The mail server of connection {conn_id} refused the login, the sender or a recipient "
            f"({type(error).__name__}). Correct the connection, or mail_to."
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"Could not send mail by connection {conn_id}: {type(error).__name__}.") from error


def _by_slack(aws_conn_id: str, recipients: Recipients, subject: str, text: str) -> None:
    # Here because a deployment may lack the provider; the settings say so.
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

    conn_id = str(recipients.slack)
    get_connection(conn_id)
    hook = SlackWebhookHook(slack_webhook_conn_id=conn_id, timeout=SECONDS, retry_handlers=[])
    try:
        # As code, so that no character of it is taken for a mark of Slack's.
        hook.send_dict({"text": f"*{_as_slack(subject)}*\n```{_as_slack(text)}```"})
    except Exception as error:
        # The error's own words may hold the webhook's address, which is a secret.
        raise Unavailable(f"Could not post by connection {conn_id}: {type(error).__name__}.") from None


def _as_html(text: str) -> str:
    return f"<pre>{_escaped(text)}</pre>"


def _as_slack(text: str) -> str:
    return _escaped(text).replace("```", "'''")


def _escaped(text: str) -> str:
    # https://docs.slack.dev/messaging/formatting-message-text#escaping; HTML needs no more between tags.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


SENDERS: dict[str, Callable[[str, Recipients, str, str], None]] = {
    "sns_topic": _by_sns,
    "slack": _by_slack,
    "smtp": _by_smtp,
}
