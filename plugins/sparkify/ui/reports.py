"""The latest report, as it lies in the control bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sparkify.layout import report_path
from sparkify.loading import aws
from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.loading.settings import Settings

AWS_CONN_ID = "aws_default"
ABSENT = ("404", "NoSuchKey", "NotFound")


@dataclass(frozen=True)
class Report:
    """Where the latest report lies, and how to read it."""

    bucket: str
    key: str
    client: Any

    @classmethod
    def latest(cls) -> Report:
        """By the AWS connection; :class:`SettingsError` or :class:`Unavailable` says why not."""
        settings = Settings.of_connection(AWS_CONN_ID)
        key = f"{settings.control_prefix}/{report_path()}"
        return cls(settings.control_bucket, key, aws.client("s3", AWS_CONN_ID))

    def exists(self) -> bool:
        """Whether there is one."""
        return self._asked(self.client.head_object) is not None

    def read(self) -> Iterator[bytes] | None:
        """Its bytes, piece by piece; None if there is none."""
        found = self._asked(self.client.get_object)
        return None if found is None else found["Body"].iter_chunks(64 * 1024)

    def _asked(self, question: Any) -> Any:
        try:
            return question(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code")) in ABSENT:
                return None
            raise SettingsError(
                f"S3 refused to give s3://{self.bucket}/{self.key}: {error}. Mend the connection {AWS_CONN_ID}, or "
                "what its user may read."
            ) from error
        except BotoCoreError as error:
            raise Unavailable(f"S3 did not answer for s3://{self.bucket}/{self.key}: {error}. Try again.") from error
