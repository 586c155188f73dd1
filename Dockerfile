# One image for all functions; FUNCTION_TARGET says which, none means all on one port (docs/containers.md).
# The bases are pinned by tag. Pin them by digest for builds that are the same in a year:
#   docker buildx imagetools inspect python:3.11-slim-bookworm

FROM node:20-bookworm-slim AS node
WORKDIR /app
COPY package.json package-lock.json ./
# Not `npm ci`: it refuses a lock file that lacks other platforms' binaries. The lock file's hashes hold all the same.
RUN npm install --omit=dev --no-save --ignore-scripts --no-audit --no-fund --loglevel=error

FROM python:3.11-slim-bookworm AS python
WORKDIR /app
RUN python3.11 -m venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock ./
# The lock is the whole tree, so pip has nothing to resolve. It compiles what it installs, and passes over the files of
# packages that are no Python (ccxt has such), which compileall does not. What is served is not changed: no pip stays.
RUN pip install --quiet --no-deps --require-hashes -r requirements.lock \
    && pip check \
    && pip uninstall --quiet --yes pip
COPY functions/ functions/
COPY shared/ shared/
COPY infra/ infra/
# Start-up doubles without bytecode, and the root file system is read-only.
RUN python -m shared.tools.documentation \
    && python -m compileall -q functions shared infra

FROM python:3.11-slim-bookworm
ARG COMMIT_HASH=unknown
ARG BUILD_DATE=unknown
LABEL org.opencontainers.image.title="the0 Agent" \
    org.opencontainers.image.description="A serverless AI agent that builds, checks and delivers trading bots for the0" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.revision="${COMMIT_HASH}" \
    org.opencontainers.image.created="${BUILD_DATE}"
# For the sandbox: libseccomp makes its filter, prlimit and setpriv of util-linux bound what runs in it.
# libstdc++ is node's and numpy's.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libseccomp2 libstdc++6 util-linux \
    && rm -rf /var/lib/apt/lists/*
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=python /opt/venv /opt/venv
WORKDIR /app
COPY --from=python /app/functions functions
COPY --from=python /app/shared shared
COPY --from=python /app/infra infra
COPY --from=node /app/node_modules node_modules
COPY LICENSE ./
# The only places that are written to: volumes. A new volume takes its owner from here.
RUN mkdir -p /data /secrets/agent /secrets/postgres /secrets/minio /secrets/nats /secrets/valkey \
    && chown -R 10001:10001 /data /secrets
# HOME is where libraries put caches; /tmp is in memory where the root is read-only.
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data \
    COMMIT_HASH=${COMMIT_HASH} \
    BUILD_DATE=${BUILD_DATE}
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s --retries=3 \
    CMD ["python", "-I", "/app/infra/container/health.py"]
ENTRYPOINT ["python", "-m", "infra.container"]
