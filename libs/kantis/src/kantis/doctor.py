"""What is wrong with this installation, and how to mend it."""

import asyncio
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from kantis import ports, runtime
from kantis.backups import faults_in
from kantis.errors import InstallationError
from kantis.installation import Surroundings
from kantis_kit.clock import SystemClock
from kantis_kit.db.provision import ProvisionError, Secrets
from kantis_kit.errors import Unavailable
from kantis_kit.http import OutgoingClient

MIN_FREE_BYTES = 1_000_000_000
_PATIENCE_SECONDS = 5
_PORTS = {"postgresql": 5432, "postgres": 5432, "amqp": 5672, "amqps": 5671}
MINIMUM = {"starlette": (1, 3, 1), "python-multipart": (0, 0, 30), "jinja2": (3, 1, 6)}
"""Below these, parsers of requests and templates have known holes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    good: bool
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for `--json`."""
        return asdict(self)


async def examine(around: Surroundings) -> list[Finding]:
    """Look at the machine, the folder, the libraries and the running system."""
    findings = [_python(), *_libraries(), _disk(around), _folder(around), _secrets(around)]
    if folder := os.environ.get("KANTIS_BACKUP_DIR"):
        findings.append(_backup(Path(folder), os.environ.get("KANTIS_BACKUP_HOURS", "26")))
    if around.postgres_url:
        findings.append(await _server("PostgreSQL", "KANTIS_POSTGRES_URL", around.postgres_url))
    if around.rabbitmq_url:
        findings.append(await _server("RabbitMQ", "KANTIS_RABBITMQ_URL", around.rabbitmq_url))
    running = runtime.read(around.data_dir)
    if running is None:
        findings += [
            Finding("Kantis does not run on this folder; `kantis up` starts it", good=True),
            _port(around),
        ]
        return findings
    return [*findings, *await _readiness(running), await _parked(around)]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(f"Python {found}", sys.version_info >= (3, 11), "Install Python 3.11 or newer.")


def refuse_known_holes() -> None:
    """Refuse to start on libraries whose parsers have known holes.

    Raises:
        InstallationError: which, and how to mend it.
    """
    for finding in _libraries():
        if not finding.good:
            raise InstallationError(f"{finding.what} has known holes. {finding.mend}")


def _libraries() -> list[Finding]:
    from importlib.metadata import version  # noqa: PLC0415 - slow, and only for this

    findings = []
    for name, least in MINIMUM.items():
        found = version(name)
        numbers = tuple(int(part) for part in found.split(".")[:3] if part.isdigit())
        findings.append(
            Finding(
                f"{name} {found}",
                numbers >= least,
                "Run `make setup` to install what the lock names.",
            )
        )
    return findings


def _disk(around: Surroundings) -> Finding:
    place = around.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return Finding(
        f"{free // 1_000_000_000} GB free for {around.data_dir}",
        free > MIN_FREE_BYTES,
        "Free some space, or set KANTIS_DATA_DIR to a larger disk.",
    )


def _folder(around: Surroundings) -> Finding:
    folder = around.data_dir
    if not folder.exists():
        return Finding(f"{folder} will be made at the first start", good=True)
    return Finding(
        f"{folder} can be written",
        os.access(folder, os.W_OK),
        f"Give yourself write access to {folder}.",
    )


def _secrets(around: Surroundings) -> Finding:
    path = around.data_dir / "postgres" / "secrets.json"
    if not path.exists():
        return Finding("Passwords will be made at the first start", good=True)
    try:
        Secrets(path).read()
    except ProvisionError as error:
        return Finding("The stored passwords can be read", good=False, mend=str(error))
    return Finding("The stored passwords can be read", good=True)


def _backup(folder: Path, hours: str) -> Finding:
    what = f"There is a backup in {folder} that could be put back"
    try:
        limit = float(hours)
    except ValueError:
        mend = f"KANTIS_BACKUP_HOURS must be a number, not {hours!r}."
        return Finding(what, good=False, mend=mend)
    faults = list(faults_in(folder, hours=limit, now=SystemClock().now()))
    return Finding(what, not faults, f"Make a new one, and look at the job: {'; '.join(faults)}.")


def _port(around: Surroundings) -> Finding:
    try:
        with ports.listen_in_front(around.port) as probe:
            return Finding(f"Port {probe.getsockname()[1]} is free", good=True)
    except InstallationError as error:
        return Finding("A port is free", good=False, mend=str(error))


async def _server(what: str, variable: str, url: str) -> Finding:
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    where = f"{parts.hostname}:{port}" if parts.hostname else "its socket"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            if what == "PostgreSQL":
                connection = await asyncpg.connect(url)
                await connection.close()
            else:  # only its own module speaks its language
                _, writer = await asyncio.open_connection(parts.hostname, port)
                writer.close()
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as e:
        mend = f"{variable} leads there; it says: {type(e).__name__} {e}".rstrip()
        return Finding(f"{what} at {where} answers", good=False, mend=mend)
    return Finding(f"{what} at {where} answers", good=True)


async def _parked(around: Surroundings) -> Finding:
    from kantis.operations import ParkedEverywhere  # noqa: PLC0415 - imports the chassis

    try:
        rows = await ParkedEverywhere(around).use(lambda everywhere: everywhere.list())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        mend = f"Their database does not answer: {type(error).__name__}. Look into kantis.log in the data folder."
        return Finding("Parked messages can be counted", good=False, mend=mend)
    return Finding(
        f"Parked messages: {len(rows)}",
        not rows,
        "`kantis parked list` says why; mend that, then `kantis parked replay`.",
    )


async def _readiness(running: runtime.Running) -> list[Finding]:
    client = OutgoingClient(timeout_seconds=3, retries=0)
    try:
        answer = await client.request("GET", f"{running.url}/readyz")
    except Unavailable:
        return [
            Finding(
                f"{running.url} answers",
                good=False,
                mend="Look into kantis.log in the data folder.",
            )
        ]
    finally:
        await client.close()
    return [
        Finding(
            f"{running.url} is ready",
            answer.is_success,
            f"It says: {answer.text[:500]}",
        )
    ]
