"""The Sparkify page in Airflow's UI: what became of each log date."""
