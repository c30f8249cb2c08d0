# syntax=docker/dockerfile:1
# The image of every process: web (the default command), worker, beat, relay and the migration job.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/venv
# Alone in its layer, so that a change of code does not install everything again.
COPY requirements/production.txt requirements/production.txt
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r requirements/production.txt
COPY . /srv/campushub360
WORKDIR /srv/campushub360
# Collecting needs settings, and production settings insist on a safe configuration. This one lives for one command.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    ENCRYPTION_KEYS="build:$(python -c 'import secrets; print(secrets.token_urlsafe(32))')" \
    BLIND_INDEX_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(32))')" \
    ALLOWED_HOSTS=build.invalid FORWARDED_ALLOW_IPS=192.0.2.1 \
    DATABASE_URL=postgres://build:only-for-this-line@build.invalid/build \
    REDIS_URL=redis://:only-for-this-line@cache.invalid/0 REDIS_STATE_URL=redis://:only-for-this-line@state.invalid/0 \
    PUBLIC_URL=https://build.invalid EMAIL_URL=smtp+tls://mail.invalid:587 MAIL_FROM=build@build.invalid \
    DJANGO_SETTINGS_MODULE=campushub360.settings.production \
    /opt/venv/bin/python manage.py collectstatic --noinput

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=campushub360.settings.production BIND=0.0.0.0:8000 \
    MEDIA_ROOT=/var/lib/campushub360/media IMPORT_ROOT=/var/lib/campushub360/imports \
    EXPORT_ROOT=/var/lib/campushub360/exports ARCHIVE_ROOT=/var/lib/campushub360/archives \
    FILES_ROOT=/var/lib/campushub360/files
RUN groupadd --gid 10001 campus && useradd --uid 10001 --gid campus --no-create-home --shell /usr/sbin/nologin campus \
    && install -d -o campus -g campus /var/lib/campushub360/media /var/lib/campushub360/imports \
        /var/lib/campushub360/exports /var/lib/campushub360/archives /var/lib/campushub360/files
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/campushub360 /srv/campushub360
WORKDIR /srv/campushub360
USER campus
VOLUME /var/lib/campushub360
EXPOSE 8000
# The host name must be one that the application answers for.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as web; \
host = os.environ['ALLOWED_HOSTS'].split(',')[0].strip().lstrip('.'); \
web.urlopen(web.Request('http://127.0.0.1:8000/livez', headers={'Host': host}), timeout=3)"]
CMD ["gunicorn", "--config", "python:campushub360.gunicorn"]
