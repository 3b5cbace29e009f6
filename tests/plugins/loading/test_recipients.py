"""Who is told: the settings, and how a mistake in them is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sparkify.loading import recipients
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.recipients import Recipients
from sparkify.loading.settings import Settings

TOPIC = "arn:aws:sns:us-west-2:123456789012:my-alerts"


def settings_of(monkeypatch: pytest.MonkeyPatch, alerts: Any) -> Recipients:
    services = {"s3": {"bucket_name": "plays"}, "sparkify": {"alerts": alerts}}
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", "extra": {"service_config": services}})
    )
    return Settings.of_connection("aws_default").recipients


def test_nobody_is_told_unless_the_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch, None) == Recipients()
    assert settings_of(monkeypatch, {"sns_topic": None}) == Recipients()


def test_topic_webhook_and_mailbox_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "is_installed", lambda module: True)
    given = {
        "sns_topic": TOPIC,
        "slack": "slack_alerts",
        "smtp": "smtp_default",
        "mail_to": "a@example.com,b@example.com",
    }
    assert settings_of(monkeypatch, given) == Recipients(**given)


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        (TOPIC, r"sparkify\.alerts is a text; expected a JSON object, for example \{"),
        ({"topic": TOPIC}, r"sparkify\.alerts: 'topic' is unknown\. Known are sns_topic, slack, smtp, mail_to\."),
        ({"sns_topc": TOPIC}, r"'sns_topc' is unknown\. Did you mean sns_topic\?"),
        ({"sns_topic": "my-alerts"}, r"alerts\.sns_topic is 'my-alerts'; expected the ARN of an SNS topic"),
        ({"sns_topic": f"{TOPIC}.fifo"}, "and not a FIFO one"),
        ({"smtp": "smtp_default"}, "smtp is given without mail_to. Give both: a mail address"),
        ({"mail_to": "a@example.com"}, "mail_to is given without smtp. Give both: the id of a connection"),
        ({"smtp": "smtp_default", "mail_to": "everybody"}, "mail_to is 'everybody'; expected a mail address"),
        ({"smtp": "smtp_default", "mail_to": "a@example.com\nBcc: b@example.com"}, "control character|mail_to is"),
        (
            {"slack": "https://hooks.slack.com/services/T/B/x?y=1"},
            "slack is not shown, as it may hold a secret; expected",
        ),
    ],
)
def test_a_recipient_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, alerts: Any, expected: str
) -> None:
    with pytest.raises(SettingsError, match=expected):
        settings_of(monkeypatch, alerts)


def test_a_recipient_whose_provider_is_missing_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    # The project's lock has the one provider and not the other.
    with pytest.raises(SettingsError, match="slack is given, and apache-airflow-providers-slack is not installed"):
        settings_of(monkeypatch, {"slack": "slack_alerts"})
    assert settings_of(monkeypatch, {"smtp": "smtp_default", "mail_to": "a@example.com"}).smtp == "smtp_default"
