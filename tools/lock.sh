#!/bin/sh
# Resolves the workspace anew and writes requirements.lock and the part of it that runs in containers: pins with hashes,
# and no address of a registry.
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
export_to() {
  draft=$tools/export; target=$1; shift
  "$tools/bin/uv" export --quiet --frozen --python "$python" --no-emit-workspace --no-header --no-annotate \
    --format requirements.txt "$@" -o "$draft" >/dev/null
  if grep -nE '://|index-url|^-f |find-links' "$draft" >&2; then
    echo "lock: the export records an address (above); $target is unchanged" >&2
    exit 1
  fi
  mv "$draft" "$target"
}
export_to requirements.lock --all-packages --all-extras --all-groups --no-group engine
# For the tests of the adapter for ClickHouse: large, so not a part of what everybody installs.
export_to tools/engine.lock --only-group engine
# For the image: what runs in it, without test, lint and build tools; and what the making of it needs.
export_to deploy/images/requirements.lock --package kantis --all-extras --no-default-groups
export_to deploy/images/build.lock --only-group build
