"""Uploads objects, copies them by the cluster's role, and removes them again."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalStackError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@contextlib.contextmanager
def objects(file: Path, bucket: str, prefix: str) -> Iterator[str]:
    """Store the objects of a conformance file under the prefix, and yield its address; they are deleted at the end.

    Names that end in ``.gz`` are compressed; ``$url`` in an object's text becomes the address.
    """
    url = f"s3://{bucket}/{prefix}"
    stored: list[str] = []
    client: S3Client = boto3.client("s3")
    try:
        for name, content in json.loads(file.read_text())["objects"].items():
            lines = content if isinstance(content, list) else [content]
            texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
            text = Template("\n".join(texts)).safe_substitute(url=url).encode()
            data = gzip.compress(text) if name.endswith(".gz") else text
            client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=data)
            stored.append(f"{prefix}/{name}")
        yield url
    except (BotoCoreError, ClientError) as error:
        raise LocalStackError(f"The bucket {bucket} could not be written to: {error}") from None
    finally:
        for key in stored:
            client.delete_object(Bucket=bucket, Key=key)


def values(url: str, role: str, region: str) -> dict[str, Any]:
    """What the statements of the load are completed with: the role is ``default`` or an ARN."""
    return {
        "url": url,
        "role": role if role == "default" else f"'{role}'",
        "region": f"region '{region}'" if region else "",
    }
