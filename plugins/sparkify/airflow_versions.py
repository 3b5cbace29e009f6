"""The versions of Airflow that the package runs on: docs/compatibility.md says how each was tried."""

from __future__ import annotations

SUPPORTED = ("3.2.1", "3.3.1", "3.3.2")


class UnsupportedAirflowError(Exception):
    """The installed Airflow is none that the package was tried on."""


def refuse_others(found: str) -> None:
    """Raise unless this version is supported; what a service adds to its name, as in ``3.3.2+astro.1``, does not count.

    Otherwise a name that this Airflow lacks would end the import, or worse, a task in the middle of its work.
    """
    if found.partition("+")[0] not in SUPPORTED:
        raise UnsupportedAirflowError(
            f"This release of sparkify runs on Airflow {', '.join(SUPPORTED[:-1])} and {SUPPORTED[-1]}, and this is "
            f"Airflow {found}. Install one of these, or a release of sparkify whose docs/compatibility.md lists it."
        )
