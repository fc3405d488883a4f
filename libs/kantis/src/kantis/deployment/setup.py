"""Steps of a deployment that work with the rights of administrators and owners."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import asyncpg

from kantis.deployment.secrets import Places, admin_dsn
from kantis.errors import InstallationError
from kantis.registry import ALL
from kantis.runner import MAINTENANCE_SECONDS, wait_for_signal
from kantis_kit import observability
from kantis_kit.clock import SystemClock
from kantis_kit.db.provision import SecretFiles, provision
from kantis_kit.inbox import maintain

log = observability.get_logger(__name__)


async def provision_all(vault: Path, places: Places, *, told: Callable[[str], None]) -> None:
    """Make every service's database and roles, with the passwords of the vault."""
    admin, passwords = admin_dsn(vault, places), SecretFiles(vault)
    for name in ALL:
        told(name)
        await provision(admin, name, passwords=passwords)


async def upkeep(owners: Path) -> None:
    """Make partitions ahead and drop old ones, now and every few hours, until the process is asked to end.

    Args:
        owners: folder with a file `<service>_dsn` per service, each the address of its owner.
    """
    asked = asyncio.get_running_loop().create_task(wait_for_signal(), name="signals")
    while not asked.done():
        for name in ALL:
            try:
                await _maintain(owner_dsn(owners, name))
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                # Partitions reach weeks ahead: tomorrow is early enough.
                log.warning("upkeep.failed", service=name, error=type(error).__name__)
        await asyncio.wait((asked,), timeout=MAINTENANCE_SECONDS)


def owner_dsn(owners: Path, name: str) -> str:
    """Read the address of a service's owner.

    Raises:
        InstallationError: there is no such file.
    """
    path = owners / f"{name}_dsn"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); the secrets step writes it"
        raise InstallationError(message) from error


def places() -> Places:
    """Read where the servers answer (`KANTIS_POSTGRES_ADDRESS`, `KANTIS_RABBITMQ_ADDRESS`)."""
    standard = Places()
    return Places(
        postgres=os.environ.get("KANTIS_POSTGRES_ADDRESS") or standard.postgres,
        rabbitmq=os.environ.get("KANTIS_RABBITMQ_ADDRESS") or standard.rabbitmq,
    )


async def _maintain(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await maintain(connection, SystemClock().now())
    finally:
        await connection.close()
