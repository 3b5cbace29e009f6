# The official image with exactly the locked packages: what runs here is what was tested. `sync` also removes what the
# image brings and the lock does not, such as the providers of other clouds.
# checkov:skip=CKV_DOCKER_2: docker-compose.yaml checks each program of the image in its own way.
FROM apache/airflow:3.3.2-python3.12 AS airflow
USER airflow
COPY --chown=airflow:0 requirements.txt requirements-container.txt /opt/airflow/
RUN uv pip sync --no-cache --require-hashes --only-binary :all: requirements.txt requirements-container.txt

# For `--profile local`: what replaces AWS.
FROM airflow AS local
COPY --chown=airflow:0 requirements-local.txt /opt/airflow/
RUN uv pip install --no-cache --require-hashes --only-binary :all: -r requirements.txt -r requirements-local.txt \
    && mkdir s3 demo && chmod g+w s3 demo
