"""What the command line does to an installation, running or not, and inside a container."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from pydantic import SecretStr

from kantis import runtime
from kantis.errors import InstallationError
from kantis.installation import Installation, Surroundings
from kantis.registry import ALL, GATEWAY, SERVICES, spec_of
from kantis_kit.clock import SystemClock
from kantis_kit.db import Database
from kantis_kit.db.database import is_away
from kantis_kit.parked import Parked, Row, replay
from kantis_kit.service import Service, migrate_service
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import Keys
from kantis_kit.tx import Scope, Tx, write

T = TypeVar("T")
DATABASE_TRIES, DATABASE_PAUSE_SECONDS = 60, 0.5


@asynccontextmanager
async def reachable(around: Surroundings) -> AsyncIterator[dict[str, str]]:
    """Provide the run-time addresses of the databases, by service.

    From a running installation, else from the environment of a container (`KANTIS_SERVICE` and
    `KANTIS_POSTGRES_DSN`), else by opening the installation for the length of the block.
    """
    running = runtime.read(around.data_dir)
    if running is not None:
        yield running.dsns
        return
    settings = ServiceSettings()
    name, dsn = os.environ.get("KANTIS_SERVICE"), settings.postgres_dsn.get_secret_value()
    if name and dsn:
        yield {name: dsn}
        return
    installation = await Installation.open(around)
    try:
        yield installation.note().dsns
    finally:
        await installation.close()


@asynccontextmanager
async def reachable_scopes(around: Surroundings) -> AsyncIterator[dict[str, Scope]]:
    """Provide what transactions in each reachable service's database need."""
    async with reachable(around) as dsns, AsyncExitStack() as stack:
        scopes = {}
        for name, dsn in dsns.items():
            database = Database(dsn, name="kantis-cli", pool_size=1, worker_pool_size=1)
            stack.push_async_callback(database.close)
            scopes[name] = Scope(database, ServiceSettings(), SystemClock())
        yield scopes


async def migrate_installation(around: Surroundings) -> None:
    """Make and migrate every database of the installation."""
    installation = await Installation.open(around)
    try:
        await installation.maintain()
    finally:
        await installation.close()


async def migrate_one(name: str) -> None:
    """Migrate one service's database as its owner, with the settings of the environment."""
    if name not in ALL:
        raise InstallationError(f"{name!r} is no service; it is one of {', '.join(ALL)}")
    spec = spec_of(name)
    await migrate_service(spec, spec.settings())


async def create_api_key(around: Surroundings, *, role: str, name: str) -> str:
    """Make an API key; returns it in the only moment in which it is known.

    Waits a while for a database that is just coming back.

    Raises:
        InstallationError: the gateway's database cannot be reached.
    """
    from gateway.keys.usecases import create_key  # noqa: PLC0415 - the one thing of the gateway that is needed

    async def make(tx: Tx) -> str:
        _, key = await create_key(tx, role=role, name=name or f"{role} (command line)")
        return str(key)

    return await in_gateway(around, make)


async def in_gateway(around: Surroundings, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do something in the gateway's database; waits a while for one that is just coming back.

    Raises:
        InstallationError: it cannot be reached.
    """
    async with reachable(around) as dsns, AsyncExitStack() as stack:
        dsn = dsns.get(GATEWAY)
        if dsn is None:
            raise InstallationError(
                "Run this where the gateway's database is reachable (the gateway's container)"
            )
        database = Database(dsn, name="kantis-cli", pool_size=1, worker_pool_size=1)
        stack.push_async_callback(database.close)
        settings = spec_of(GATEWAY).settings(postgres_dsn=SecretStr(dsn))
        scope = Scope(database, settings, SystemClock())
        for _ in range(DATABASE_TRIES):
            try:
                async with write(scope, actor="command line") as tx:
                    return await work(tx)
            except Exception as error:
                if not is_away(error):
                    raise
                await scope.clock.sleep(DATABASE_PAUSE_SECONDS)
    raise InstallationError("The gateway's database does not answer; look with `kantis doctor`")


def merged_openapi() -> dict[str, Any]:
    """Return the API of all services as one description."""
    from gateway.docs.merge import merge  # noqa: PLC0415 - the one thing of the gateway that is needed

    documents = {}
    for name in (*SERVICES, GATEWAY):
        spec = spec_of(name)
        settings = spec.settings(
            postgres_dsn=SecretStr("postgresql://nobody@localhost/none"),
            broker_url=SecretStr("postgresql://nobody@localhost/none"),
        )
        documents[name] = Service(spec, settings, keys=Keys(None, {})).openapi()
    merged: dict[str, Any] = merge(documents)
    return merged


class ParkedEverywhere:
    """The parked messages of every reachable service."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._scopes: dict[str, Scope] = {}

    async def use(self, work: Callable[["ParkedEverywhere"], Awaitable[T]]) -> T:
        """Connect, do the work, disconnect."""
        async with reachable_scopes(self._around) as self._scopes:
            return await work(self)

    async def list(self) -> list[dict[str, Any]]:
        """Return every parked message, the newest first."""
        rows = [
            _summary(name, row)
            for name, scope in self._scopes.items()
            for row in await Parked(scope).list(limit=500)
        ]
        return sorted(rows, key=lambda row: row["last_at"], reverse=True)

    async def show(self, event_id: UUID) -> dict[str, Any] | None:
        """Return one message with its content."""
        for name, scope in self._scopes.items():
            for row in await Parked(scope).find(event_id):
                content = row.raw.decode("utf-8", errors="replace")
                return {**_summary(name, row), "content": content}
        return None

    async def replay(self, event_id: UUID | None) -> int:
        """Let one or all be tried again."""
        count = 0
        for scope in self._scopes.values():
            keys = None
            if event_id is not None:
                keys = [(row.queue, row.event_id) for row in await Parked(scope).find(event_id)]
                if not keys:
                    continue
            async with write(scope, actor="command line") as tx:
                count += await replay(tx, keys)
        return count


def _summary(service: str, row: Row) -> dict[str, Any]:
    return {
        "service": service,
        "queue": row.queue,
        "event_id": str(row.event_id),
        "type": row.type,
        "attempts": row.attempts,
        "reason": row.reason,
        "problem": row.problem,
        "handler": row.handler,
        "first_at": row.first_at.isoformat(),
        "last_at": row.last_at.isoformat(),
    }
