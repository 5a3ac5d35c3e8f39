#!/bin/sh
# Starts nginx with the limit of the uploads: IMPORT_MAX_MB, and one more for the form around the file.
set -eu
printf 'client_max_body_size %dm;\n' "$((${IMPORT_MAX_MB:-50} + 1))" > /tmp/limits.conf
exec nginx -c /etc/nginx/nginx.conf -g 'daemon off;'
