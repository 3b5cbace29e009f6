"""Retries outages, and nothing else."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError, AirflowTaskTimeout

from sparkify.loading.exceptions import PackageError, Sentence, TimeLimitError
from sparkify.loading.published import publish_failure

#: The arguments of a DAG's tasks that say how often an outage is tried again, and after which pauses.
RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}

_MARK = "_retries_outages_only"


class RetriesOutagesOnly:
    """
    Mixin of operators and sensors, named before Airflow's class: only an outage gets another try.

    Airflow tries a task again after any error but an AirflowFailException. So a time limit becomes one, because a task
    that reached it held a worker for hours, and so does an error that nobody foresaw. Airflow 3.3 has retry policies
    for that, and 3.2 has none.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the class's ``execute``, inherited or not, and the ``resume`` of one that defers."""
        super().__init_subclass__(**kwargs)
        for name in ("execute", "resume"):
            method = getattr(cls, name, None)
            if method is not None and not hasattr(method, _MARK):
                setattr(cls, name, _outages_only(method))


@contextlib.contextmanager
def failures_published(context: Mapping[str, Any]) -> Iterator[None]:
    """Publish why a task fails, for the page and for messages."""
    try:
        yield
    except Exception as error:
        if isinstance(error, Sentence):
            publish_failure(context, error)
        raise


def _outages_only(execute: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(execute)
    def execute_once(self: Any, *arguments: Any, **named: Any) -> Any:
        context = named["context"] if "context" in named else arguments[0]
        with failures_published(context):
            return as_foreseen(self, *arguments, **named)

    def as_foreseen(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return execute(self, *arguments, **named)
        except AirflowTaskTimeout as error:
            self.on_kill()
            raise TimeLimitError(
                f"The task was ended after {self.execution_timeout}, its execution_timeout. It is not tried again, "
                "because it held a worker all that time. What it waited for has shorter limits of its own, so look at "
                "the last lines of its log, and at the driver and the network, before you clear it."
            ) from error
        except (AirflowException, AirflowRuntimeError):
            # The class says whether it is final. Airflow also skips and reschedules by some of these.
            raise
        except Exception as error:
            raise PackageError(
                f"{type(error).__name__}: {error}. This is a mistake in the package, or in what it was given that "
                "nobody foresaw. It is not tried again. Report it with this log.",
                told=f"{type(error).__name__}: an error that nobody foresaw, which the task's log shows. It is not "
                "tried again. Report it with that log.",
            ) from error

    setattr(execute_once, _MARK, True)
    return execute_once
