# The official image with exactly the locked packages: what runs here is what was tested. `sync` also removes what the
# image brings and the lock does not, such as the providers of other clouds.
FROM apache/airflow:3.3.2-python3.12 AS airflow
COPY --chown=airflow:0 requirements-container.txt /opt/airflow/
RUN uv pip sync --no-cache --require-hashes requirements-container.txt

# For `--profile local`: what stands in for AWS.
FROM airflow AS local
COPY --chown=airflow:0 requirements-dev.txt pyproject.toml /opt/airflow/
RUN uv pip install --no-cache --constraint requirements-dev.txt --group pyproject.toml:local \
    && mkdir s3 demo && chmod g+w s3 demo
