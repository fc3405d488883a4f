#!/bin/sh
# Resolves the workspace anew and writes requirements.lock: pins with hashes, and no address of a registry.
set -eu
cd "$(dirname "$0")/.."
uv_version=0.13.9
tools=.cache/lock-tools

if [ "$("$tools/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
  .venv/bin/python -m venv --clear "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi

export UV_PYTHON_DOWNLOADS=never
python=$(pwd -P)/.venv/bin/python
"$tools/bin/uv" lock --python "$python" "$@"
"$tools/bin/uv" export --quiet --python "$python" --all-packages --all-extras --all-groups --no-emit-workspace \
  --no-header --no-annotate --format requirements.txt -o "$tools/requirements.lock" >/dev/null

if grep -nE '://|index-url|^-f |find-links' "$tools/requirements.lock" >&2; then
  echo "lock: the export records an address (above); requirements.lock is unchanged" >&2
  exit 1
fi
mv "$tools/requirements.lock" requirements.lock
