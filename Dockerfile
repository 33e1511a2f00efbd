# The worker, the scripts and the Python API; Kafka and MongoDB are other containers.
ARG PYTHON_VERSION=3.11
FROM python:${PYTHON_VERSION}-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

# First and alone, so that a change of the code does not install everything again.
COPY requirements.txt ./
RUN pip install --only-binary=:all: -r requirements.txt

RUN useradd --create-home --uid 10001 worker \
    && mkdir .data \
    && chown worker: .data
COPY . .

USER worker
EXPOSE 6066
# Exec form: SIGTERM reaches the worker, which makes its last checkpoint and leaves the group.
CMD ["faust", "-A", "app", "worker", "-l", "info"]
