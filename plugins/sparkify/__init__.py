"""The operators and what they share; the DAG files hold the wiring."""

from airflow import __version__

from sparkify.airflow_versions import refuse_others

refuse_others(__version__)
