"""The operators and what they share; the DAG files hold the wiring."""
