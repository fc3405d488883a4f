#!/bin/sh
# Makes .venv with everything of requirements.lock and every member of libs/ and services/, editable.
# Does nothing when nothing changed since the last time. KANTIS_PYTHON names an interpreter to use.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.kantis-setup
guard=.venv.lock
oldest="3.11"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# A copied checkout brings a .venv whose scripts and links point at the original: so the place is part of the stamp.
place() { printf 'place %s\n' "$(pwd -P)"; }
wanted() { place; cksum requirements.lock libs/*/pyproject.toml services/*/pyproject.toml tools/setup.sh; }
current() { [ -f "$stamp" ] && [ -x "$venv/bin/python" ] && [ "$(wanted)" = "$(cat "$stamp")" ]; }

# Two runs in one checkout take turns; the guard of a run that died is taken over.
take_turn() {
  told=""
  while ! (set -C; echo $$ > "$guard") 2>/dev/null; do
    other=$(cat "$guard" 2>/dev/null || true)
    if [ -n "$other" ] && ! kill -0 "$other" 2>/dev/null; then rm -f "$guard"; continue; fi
    [ -n "$told" ] || say "waiting for another setup in this folder (process ${other:-unknown})"
    told=yes
    sleep 1
  done
  trap 'rm -f "$guard"' EXIT
  trap 'exit 130' INT TERM
}

is_new_enough() {
  command -v "$1" >/dev/null 2>&1 &&
    "$1" -c "import sys; sys.exit(sys.version_info < (3, 11) or sys.implementation.name != 'cpython')" >/dev/null 2>&1
}
has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Sets $python: the first that is new enough and, without uv, can make an environment.
find_python() {
  bare=""
  for name in ${KANTIS_PYTHON:-python3.13 python3.12 python3.11 python3}; do
    is_new_enough "$name" || continue
    # An absolute path: uv would otherwise look for an interpreter of its own.
    path=$("$name" -c 'import sys; print(sys.executable)')
    if [ -n "$uv" ] || has_venv "$path"; then python=$path; return; fi
    bare=${bare:-$path}
  done
  if [ -n "$bare" ]; then
    die "$bare cannot make virtual environments: on Debian and Ubuntu run  apt-get install python3-venv"
  fi
  [ -z "${KANTIS_PYTHON:-}" ] || die "KANTIS_PYTHON=$KANTIS_PYTHON is not a CPython $oldest or newer"
  die "no Python $oldest or newer found: on Debian run  apt-get install python3 python3-venv ,  on macOS  brew install python@3.13"
}

members() { for file in libs/*/pyproject.toml services/*/pyproject.toml; do dirname "$file"; done; }

# Prints the output only when the command fails: quiet when well, complete when not.
quietly() {
  what=$1; shift
  log=$venv/setup.log
  if ! "$@" >"$log" 2>&1; then cat "$log" >&2; die "$what failed; the message is above"; fi
}

install_with_uv() {
  # The cooldown of the workspace guards the making of the lock, not its use.
  export UV_EXCLUDE_NEWER=2999-01-01T00:00:00Z
  quietly "installing requirements.lock" "$uv" pip install --python "$venv/bin/python" --require-hashes --no-deps \
    -r requirements.lock
  quietly "installing the members" "$uv" pip install --python "$venv/bin/python" --no-deps --no-build-isolation \
    --no-index "$@"
}

install_with_pip() {
  pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }
  quietly "installing requirements.lock" pip install --require-hashes --no-deps -r requirements.lock
  quietly "installing the members" pip install --no-deps --no-build-isolation --no-index "$@"
}

if current; then exit 0; fi
take_turn
if current; then exit 0; fi

export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH 2>/dev/null || true
uv=$(command -v uv 2>/dev/null || true)
if [ -n "$uv" ] && ! "$uv" --version >/dev/null 2>&1; then uv=""; fi

# Kept when it is ours and works: the installers then change only what differs.
if ! { [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$(place)" ] && "$venv/bin/python" -c '' 2>/dev/null; }; then
  find_python
  say "making $venv with $python"
  rm -rf "$venv"
  if [ -n "$uv" ]; then
    "$uv" venv --quiet --python "$python" "$venv"
  else
    "$python" -m venv "$venv"
  fi
fi
rm -f "$stamp"

say "installing what requirements.lock names (a minute or less)"
set --
for member in $(members); do set -- "$@" -e "./$member"; done
if [ -n "$uv" ]; then
  install_with_uv "$@"
else
  "$venv/bin/python" -c 'import pip' 2>/dev/null || "$venv/bin/python" -m ensurepip >/dev/null
  install_with_pip "$@"
fi
wanted > "$stamp.new" && mv "$stamp.new" "$stamp"
rm -f "$venv/setup.log"
say "ready"
