"""The programs of the local stack: processes, ports, home, connections, settings of Airflow."""
