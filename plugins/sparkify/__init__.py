"""The operators and what they share; the DAG files hold the wiring."""

import sys

from sparkify.airflow_versions import refuse_others

# Airflow is there before any DAG file, plugin or task. The laptop's commands use a module or two without it, and to
# import it would take each of them a second.
if airflow := sys.modules.get("airflow"):
    refuse_others(airflow.__version__)
