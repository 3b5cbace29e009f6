"""Reads and changes a CloudFormation stack, and says why a change failed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sparkify.loading.aws import client
from sparkify.loading.aws_errors import error_code, translated
from sparkify.loading.exceptions import SettingsError

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
SHOWN = 5
NO_UPDATES = "No updates are to be performed"
# A change that was begun and is going its way; what else is in progress is a way back.
UNDER_WAY = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
DEPLOYED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")

TEARDOWN = "Trigger sparkify_warehouse with action teardown, which takes away what is left of it, then provision again."
CLEAR = "When that has ended, clear this task."
# What a stack that cannot be changed is, and what to do about it.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
NO_CHANGE_IN: dict[str | None, tuple[str, str]] = {
    "ROLLBACK_COMPLETE": ("could not be created, and can only be deleted", TEARDOWN),
    "ROLLBACK_FAILED": ("could be neither created nor undone", TEARDOWN),
    "CREATE_FAILED": ("could not be created", TEARDOWN),
    "DELETE_FAILED": (
        "could not be deleted",
        "Fix what blocks it, then trigger sparkify_warehouse with action teardown.",
    ),
    "REVIEW_IN_PROGRESS": (
        "waits for somebody to execute its change set",
        "Execute it, or delete the stack, in CloudFormation's console, then provision again.",
    ),
    "UPDATE_FAILED": (
        "could not be updated",
        "Let it be rolled back in CloudFormation's console, then provision again.",
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "could be neither updated nor rolled back",
        "Fix what blocks it, run aws cloudformation continue-update-rollback, then provision again.",
    ),
    "DELETE_IN_PROGRESS": ("is being deleted", CLEAR),
    "ROLLBACK_IN_PROGRESS": ("is being rolled back", CLEAR),
    "UPDATE_ROLLBACK_IN_PROGRESS": ("is being rolled back", CLEAR),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": ("is being rolled back", CLEAR),
}


class Change(StrEnum):
    """What :meth:`Stack.deploy` did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    UNDER_WAY = "under way"


class Stack:
    """The stack of this name in the connection's account and region.

    Every method raises :class:`SettingsError` or :class:`Unavailable` with a sentence.
    """

    def __init__(self, name: str, aws_conn_id: str) -> None:
        if not NAME.fullmatch(name):
            raise SettingsError(
                f"stack={name!r} is not the name of a stack: up to 128 letters, digits and hyphens, a letter first. "
                "Trigger the DAG again with another."
            )
        self.name = name
        self.client: Any = client("cloudformation", aws_conn_id)

    def description(self) -> dict[str, Any] | None:
        """What CloudFormation says of it; None if there is no such stack."""
        with translated(f"look at the stack {self.name}"):
            try:
                found: dict[str, Any] = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
            except ClientError as error:
                if error_code(error) == "ValidationError" and "does not exist" in str(error):
                    return None
                raise
        return found

    def status(self) -> str | None:
        """Its status, such as ``CREATE_COMPLETE``; None if there is no such stack."""
        found = self.description()
        return str(found["StackStatus"]) if found else None

    def outputs(self) -> dict[str, str]:
        """Its outputs by key."""
        found = self.description()
        if not found:
            raise SettingsError(
                f"There is no stack {self.name} in this account and region. Trigger sparkify_warehouse with action "
                "provision, or give the right stack and the region in the AWS connection."
            )
        return {output["OutputKey"]: str(output["OutputValue"]) for output in found.get("Outputs", [])}

    def output(self, key: str) -> str:
        """One output; a :class:`SettingsError` if the stack has none of that key."""
        outputs = self.outputs()
        if key not in outputs:
            raise SettingsError(
                f"The stack {self.name} has no output {key}. It is not (or not yet) deployed from this package's "
                "warehouse.yaml; provision it."
            )
        return outputs[key]

    def deploy(self, template: Path, parameters: Mapping[str, str]) -> Change:
        """Create the stack, or change it to this template and these parameters.

        :param parameters: a value for each parameter that is to have another than before, or than its default.
        """
        found = self.description()
        status = str(found["StackStatus"]) if found else None
        if status in NO_CHANGE_IN:
            raise self.failure(status)
        if status in UNDER_WAY:
            return Change.UNDER_WAY
        body = template.read_text()
        request = {
            "StackName": self.name,
            "TemplateBody": body,
            "Parameters": self._parameters(body, parameters, found),
            "Capabilities": ["CAPABILITY_IAM"],
        }
        if not found:
            with translated(f"create the stack {self.name}"):
                self.client.create_stack(**request, EnableTerminationProtection=True)
            return Change.CREATED
        if not found.get("EnableTerminationProtection"):
            self._protect(enable=True)
        with translated(f"update the stack {self.name}"):
            try:
                self.client.update_stack(**request)
            except ClientError as error:
                if NO_UPDATES in str(error):
                    return Change.UNCHANGED
                raise
        return Change.UPDATED

    def delete(self) -> None:
        """Lift its termination protection and begin to delete it."""
        self._protect(enable=False)
        with translated(f"delete the stack {self.name}"):
            self.client.delete_stack(StackName=self.name)

    def _protect(self, *, enable: bool) -> None:
        with translated(f"{'set' if enable else 'lift'} the termination protection of the stack {self.name}"):
            self.client.update_termination_protection(StackName=self.name, EnableTerminationProtection=enable)

    def failures(self) -> list[str]:
        """What failed in its last change, the first first: each a resource, its type and the reason."""
        events: list[dict[str, Any]] = []
        with translated(f"read the events of the stack {self.name}"):
            for page in self.client.get_paginator("describe_stack_events").paginate(StackName=self.name):
                for event in page["StackEvents"]:
                    events.append(event)
                    if event.get("PhysicalResourceId") == event["StackId"] and event["ResourceStatus"] in BEGINNINGS:
                        return _failed(events)
        return _failed(events)

    def failure(self, status: str | None) -> SettingsError:
        """What to raise for a stack in this status: what it is, what its events say, what to do."""
        if status == "UPDATE_ROLLBACK_COMPLETE":
            is_so, advice = "could not be updated, and is as it was", "Fix that, then provision again."
        else:
            is_so, advice = NO_CHANGE_IN.get(status, (f"is {status}", "Look at it in CloudFormation's console."))
        return SettingsError(f"The stack {self.name} {is_so}.{self._because()} {advice}")

    def _because(self) -> str:
        failures = self.failures()
        if not failures:
            return ""
        more = f" and {len(failures) - SHOWN} more" if len(failures) > SHOWN else ""
        return f" Its events say: {'; '.join(failures[:SHOWN])}{more}."

    def _parameters(
        self, body: str, given: Mapping[str, str], found: Mapping[str, Any] | None
    ) -> list[dict[str, str | bool]]:
        with translated("read the template"):
            summary = self.client.get_template_summary(TemplateBody=body)
        names = [parameter["ParameterKey"] for parameter in summary["Parameters"]]
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise SettingsError(f"The template has no parameter {unknown[0]}. It has {', '.join(sorted(names))}.")
        before = {parameter["ParameterKey"] for parameter in (found or {}).get("Parameters", [])}
        return [
            {"ParameterKey": name, "ParameterValue": given[name]}
            if name in given
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in names
            if name in given or name in before
        ]


def _failed(events: list[dict[str, Any]]) -> list[str]:
    """Those that failed by themselves: what CloudFormation gave up because of another says nothing new."""
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
        and event.get("PhysicalResourceId") != event["StackId"]
        and "cancelled" not in event.get("ResourceStatusReason", "")
    ]
