# Three stages: `build` has pip and the sources' static files, `product` runs, `proxy` is nginx.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/fpadmin
COPY requirements.txt ./
# Wheels only: nothing is compiled, and the environment holds no pip.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --only-binary :all: -r requirements.txt
COPY manage.py ./
COPY fpadmin ./fpadmin
COPY households ./households
COPY subsidies ./subsidies
COPY sexratio ./sexratio
COPY mobility ./mobility
COPY eldercare ./eldercare
COPY templates ./templates
# The keys that this makes stay in this stage.
RUN FPADMIN_VAR=/tmp/var STATIC_ROOT=/opt/static /opt/venv/bin/python manage.py collectstatic --noinput

FROM python:3.11.14-slim-bookworm AS product
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && pip uninstall -y pip setuptools wheel \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin fpadmin \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/fpadmin /var/lib/fpadmin/files /var/lib/fpadmin/beat /backups
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/static /srv/static
COPY --from=build /srv/fpadmin /srv/fpadmin
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV FPADMIN_VAR=/var/lib/fpadmin STATIC_ROOT=/srv/static MEDIA_ROOT=/var/lib/fpadmin/files BACKUP_DIR=/backups
WORKDIR /srv/fpadmin
USER 10001:10001

FROM debian:12.12-slim AS proxy
RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx curl \
    && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled
COPY fpadmin/deploy/nginx.conf /etc/nginx/nginx.conf
COPY fpadmin/deploy/pages /etc/nginx/pages
COPY fpadmin/deploy/proxy.sh /usr/local/bin/proxy.sh
USER 33:33
CMD ["sh", "/usr/local/bin/proxy.sh"]
