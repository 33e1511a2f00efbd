# The worker, the scripts and the Python API; Kafka and MongoDB are other containers.
# Any Debian or Ubuntu with Python 3.11 or later and its venv module will do as the base.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/venv
# Alone and before the code, so that a change of the code does not install everything again.
COPY requirements.txt /opt/
RUN /opt/venv/bin/python -m pip install --only-binary=:all: -r /opt/requirements.txt
# Nothing is installed in a container that runs.
RUN /opt/venv/bin/python -m pip uninstall --yes pip

FROM ${BASE_IMAGE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
RUN useradd --uid 10001 --no-create-home --home-dir /tmp worker
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY . /app/
# Here, as the file system of a container may be read-only.
RUN /opt/venv/bin/python -m compileall -q /app
RUN mkdir -m 1777 /app/.data
# By number, so that whoever runs it can see that it is not root.
USER 10001:10001
EXPOSE 6066
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "web.healthcheck", "live"]
# Exec form: SIGTERM reaches the worker, which makes its last checkpoint and leaves the group.
CMD ["faust", "-A", "app", "worker", "-l", "info"]
