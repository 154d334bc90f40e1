# One image a service: docker build --build-arg SERVICE=router -t sovereign-router .
# BASE is any Debian-like image with Python >= 3.11 and its venv module.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ARG UV_VERSION=0.13.9
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==${UV_VERSION}
WORKDIR /app
ARG SERVICE
RUN test -n "${SERVICE}" || { echo "say --build-arg SERVICE=router|agents|match|ops|sessions|dashboard" >&2; exit 1; }
COPY pyproject.toml uv.lock README.md ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-install-project --extra ${SERVICE}
COPY shared shared
COPY cli cli
COPY services services
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-editable --extra ${SERVICE}

FROM ${BASE}
ARG SERVICE
ENV SERVICE=${SERVICE} \
    PATH=/app/.venv/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    SOVEREIGN_DATA_DIR=/data
RUN useradd --uid 10001 --create-home sovereign && install -d -o sovereign -g sovereign /data
COPY --from=build /app/.venv /app/.venv
USER sovereign
WORKDIR /home/sovereign
VOLUME /data
STOPSIGNAL SIGTERM
# Healthy = this container's own beat is heard on the bus.
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=3 \
    CMD ["sh", "-c", "exec python -m cli.pulse \"$SERVICE\""]
# The shell is replaced, so that the service is process 1 and gets the signals.
CMD ["sh", "-c", "exec sovereign run \"$SERVICE\""]
