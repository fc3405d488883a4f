#!/bin/sh
# Puts ClickHouse as a Python package (182 MB to load, half a gigabyte on disk) beside what requirements.lock names: the
# tests of its adapter run against it. Does nothing when it is there.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.kantis-engine
if [ -f "$stamp" ] && cmp -s tools/engine.lock "$stamp"; then exit 0; fi
printf 'engine: installing what tools/engine.lock names (a minute or less)\n' >&2
uv=$(command -v uv 2>/dev/null || true)
if [ -n "$uv" ] && "$uv" --version >/dev/null 2>&1; then
  UV_EXCLUDE_NEWER=2999-01-01T00:00:00Z "$uv" pip install --quiet --python .venv/bin/python --require-hashes --no-deps \
    -r tools/engine.lock
else
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps \
    -r tools/engine.lock
fi
cp tools/engine.lock "$stamp"
