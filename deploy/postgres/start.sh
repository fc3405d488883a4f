#!/bin/sh
# Starts the image's own entrypoint with the administrator's password from a file. The images' POSTGRES_PASSWORD_FILE
# is not understood by every image that is built like the official one; this works with all of them. Only the very
# first start, which makes the cluster, reads it.
set -eu
POSTGRES_PASSWORD=$(cat /run/secrets/kantis/password)
export POSTGRES_PASSWORD
exec docker-entrypoint.sh postgres \
  -c config_file=/etc/kantis/postgresql.conf \
  -c hba_file=/etc/kantis/pg_hba.conf
