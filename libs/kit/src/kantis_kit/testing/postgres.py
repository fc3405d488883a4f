"""PostgreSQL for tests: one server per session, a template per service, a fresh database per test.

A pytest plug-in: `-p kantis_kit.testing.postgres` brings the fixtures `postgres_server` and `fresh_database`. All
workers of pytest-xdist share the server. `KANTIS_TEST_POSTGRES_URL` (an administrator's address) takes a server instead
of the embedded one.
"""

import asyncio
import contextlib
import hashlib
import hmac
import os
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.postmaster import Postmaster, PostmasterFile
from kantis_kit.db.provision import ServiceDsns, identifier, open_database, provision, with_login
from kantis_kit.ids import new_id
from kantis_kit.testing.runfolder import RunFolder
from kantis_kit.testing.waiting import eventually

Build = Callable[[ServiceDsns], Awaitable[None]]
T = TypeVar("T")

_TEMPLATE_LOCK = 0x6B616E75
_END_OTHERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = $1 AND pid <> $2 AND backend_type = 'client backend'
"""
_ITERATIONS = 1  # of the passwords' hash: 4,096 are half of what a connection costs
_CLUSTER_SETTINGS = {
    "autovacuum_naptime": "10s",
    "dynamic_shared_memory_type": "mmap",  # inside the folder, and gone with it
}


class FreshDatabase(Protocol):
    """Makes a database that lives as long as the test."""

    async def __call__(
        self, name: str = "plain", build: Build | None = None, *, key: str = ""
    ) -> ServiceDsns:
        """Return the addresses of a new copy of what `build` makes in an empty, provisioned database."""
        ...


class _DerivedPasswords:
    """The same password for a role in every process that knows the administrator's address."""

    def __init__(self, admin_dsn: str) -> None:
        self._key = hashlib.sha256(admin_dsn.encode()).digest()

    def password(self, role: str) -> str:
        return hmac.new(self._key, role.encode(), "sha256").hexdigest()


@dataclass(frozen=True)
class _Spare:
    """A database that waits, empty, for the next test; its owner's connection is kept to empty it again."""

    name: str
    dsns: ServiceDsns
    owner: "asyncpg.Connection[Any]"


class PostgresServer:
    """The server of a test session, reached as its administrator."""

    def __init__(self, admin_dsn: str, *, run: str, worker: str = "main") -> None:
        self._admin_dsn = admin_dsn
        self._run = identifier(f"kt-{run}")
        self._worker = identifier(worker)
        self._passwords = _DerivedPasswords(admin_dsn)
        self._built: set[str] = set()
        self._made = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="postgres-admin", daemon=True
        )
        self._thread.start()
        self._admin: asyncpg.Connection[Any] | None = None
        self._spare: dict[str, list[_Spare]] = {}

    def admin_dsn(self, database: str = "postgres") -> str:
        """Return the administrator's address of one database."""
        return urlunsplit(urlsplit(self._admin_dsn)._replace(path=f"/{database}"))

    def close(self) -> None:
        """Close the connections to the server and their thread."""
        kept = [spare.owner for spares in self._spare.values() for spare in spares]
        for connection in (*kept, *([self._admin] if self._admin else [])):
            asyncio.run_coroutine_threadsafe(connection.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def execute(self, *statements: str) -> None:
        """Run statements as the administrator, one by one, each in a transaction of its own."""

        async def run() -> None:
            admin = await self._connection()
            for statement in statements:
                await admin.execute(statement)

        await self._aside(run())

    async def template_for(self, name: str, build: Build | None = None, *, key: str = "") -> str:
        """Make the template database of a service once per session and return its name.

        Args:
            name: of the service; its roles are `test_<name>_owner` and `test_<name>_app`.
            build: gets the addresses of an empty, provisioned database and runs the migrations in it.
            key: what tells two templates of one name apart, as a hash of the migrations; by default, where `build`
                is defined.
        """
        if not key and build is not None:
            key = f"{getattr(build, '__module__', '')}.{getattr(build, '__qualname__', '')}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        template = f"{self._run}_{identifier(name)[:16]}_{digest}"
        if template in self._built:
            return template
        guard = await asyncpg.connect(self._admin_dsn, timeout=30)
        try:
            # Other workers wait here; the lock ends with the connection, also when we are killed.
            await guard.execute("SELECT pg_advisory_lock($1)", _TEMPLATE_LOCK)
            if not await guard.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
                await self._build_template(guard, name, template, build)
        finally:
            await guard.close()
        self._built.add(template)
        return template

    async def _build_template(
        self, guard: "asyncpg.Connection[Any]", name: str, template: str, build: Build | None
    ) -> None:
        unfinished = f"{template}_b"
        await guard.execute(f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
        dsns = await provision(
            self._admin_dsn,
            f"test-{name}",
            passwords=self._passwords,
            database=unfinished,
            iterations=_ITERATIONS,
        )
        if build is not None:
            await build(dsns)
        await guard.execute(f"ALTER DATABASE {unfinished} WITH ALLOW_CONNECTIONS false")
        await guard.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1",
            unfinished,
        )
        await guard.execute(f"ALTER DATABASE {unfinished} RENAME TO {template}")

    async def create(self, template: str, name: str) -> tuple[str, ServiceDsns]:
        """Copy a template; return the new database's name and how its service reaches it."""
        self._made += 1
        database = f"{self._run}_{self._worker}_{self._made}"
        owner, app = (f"test_{identifier(name)}_{kind}" for kind in ("owner", "app"))

        async def make() -> None:
            admin = await self._connection()
            # Measured: 15 ms in memory against 120 ms with wal_log; on a disk about the same.
            await admin.execute(
                f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy"
            )
            await open_database(admin, database, owner=owner, app=app)

        await self._aside(make())

        def dsn(role: str) -> str:
            return with_login(
                self._admin_dsn,
                role=role,
                password=self._passwords.password(role),
                database=database,
            )

        return database, ServiceDsns(owner_dsn=dsn(owner), app_dsn=dsn(app))

    async def make_anew(self, database: str, name: str) -> None:
        """Drop a database and make it again, empty, with the rights of its service: the place for a restore."""
        await self.drop(database)
        await provision(
            self._admin_dsn,
            f"test-{name}",
            passwords=self._passwords,
            database=database,
            iterations=_ITERATIONS,
        )

    async def drop(self, database: str) -> None:
        """Drop a database, and end who is still connected to it."""

        async def run() -> None:
            # FORCE ends them too, but then waits for them in steps of 100 ms.
            await self._end_others(database)
            admin = await self._connection()
            await admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

        await self._aside(run())

    @contextlib.asynccontextmanager
    async def database(
        self, name: str = "plain", build: Build | None = None, *, key: str = ""
    ) -> AsyncIterator[ServiceDsns]:
        """Provide a fresh database for the block."""
        template = await self.template_for(name, build, key=key)
        database, dsns = await self.create(template, name)
        try:
            yield dsns
        finally:
            await self.drop(database)

    @contextlib.asynccontextmanager
    async def reused(self, name: str, build: Build, *, empty: str) -> AsyncIterator[ServiceDsns]:
        """Provide a database that others have used before and `empty` (SQL) has emptied, as its owner, since then.

        For a few tables whose whole content `empty` knows: to make and drop a database costs some thirty times as much.
        """
        template = await self.template_for(name, build)
        spares = self._spare.setdefault(template, [])
        spare = spares.pop() if spares else await self._spared(template, name)
        try:
            yield spare.dsns
        finally:
            if await self._emptied(spare, empty):
                spares.append(spare)
            else:
                await self.drop(spare.name)

    async def _spared(self, template: str, name: str) -> _Spare:
        database, dsns = await self.create(template, name)
        return _Spare(
            database, dsns, await self._aside(asyncpg.connect(dsns.owner_dsn, timeout=30))
        )

    async def _emptied(self, spare: _Spare, empty: str) -> bool:
        async def run() -> None:
            # Whoever a test has left behind, as DROP DATABASE would: what they write must not come after the emptying.
            await self._end_others(spare.name, but=spare.owner.get_server_pid())
            await spare.owner.execute(empty)

        try:
            await self._aside(run())
        except (OSError, AssertionError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False  # the test has ended the connection, or the server: a new one is made
        return True

    async def _end_others(self, database: str, *, but: int = 0) -> None:
        admin = await self._connection()

        async def is_left() -> bool:
            return not await admin.fetchval(_END_OTHERS, database, but)

        await eventually(is_left, message=f"somebody stays in {database}")

    async def drop_run(self, run: str) -> None:
        """Drop every database that a session made."""
        prefix = identifier(f"kt-{run}") + "_"

        async def run_it() -> None:
            admin = await self._connection()
            for row in await admin.fetch(
                "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix
            ):
                await admin.execute(f"DROP DATABASE IF EXISTS {row['datname']} WITH (FORCE)")

        await self._aside(run_it())

    async def _connection(self) -> "asyncpg.Connection[Any]":
        if self._admin is None or self._admin.is_closed():
            self._admin = await asyncpg.connect(self._admin_dsn, timeout=30)
        return self._admin

    async def _aside(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the thread that holds the administrator's connection: it outlives the loops of the tests."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


def _run_name() -> str:
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", new_id().hex)[-12:]


def _blocking(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def _clear(folder: Path) -> None:
    pgdata = folder / "postgres" / "pgdata"
    found = PostmasterFile.read(pgdata)
    if found is not None and found.is_alive():
        await Postmaster(pgdata, found.pid).stop(in_order=False)  # kill would leave shared memory
    shutil.rmtree(folder, ignore_errors=True)


async def _start_shared(folder: Path) -> str:
    embedded = EmbeddedPostgres(folder / "postgres", throwaway=True, settings=_CLUSTER_SETTINGS)
    await embedded.start()  # or takes over what another worker has started
    dsn = embedded.superuser_dsn()
    embedded.release()
    return dsn


@contextlib.contextmanager
def server_for_session(
    *, url: str | None = None, below: Path | None = None
) -> Iterator[PostgresServer]:
    """Provide the server that all processes of this test session share; the last one to leave ends it."""
    folder = RunFolder(_run_name(), below=below)
    stale = folder.join()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    try:
        with folder.alone():
            for left in stale if url is None else ():
                _blocking(_clear(left))
            admin_dsn = url or _blocking(_start_shared(folder.path))
        server = PostgresServer(admin_dsn, run=folder.run, worker=worker)
        try:
            yield server
        finally:
            last = folder.leave()
            if last and url is not None:
                _blocking(server.drop_run(folder.run))
            server.close()
    finally:
        if folder.leave():
            _blocking(_clear(folder.path))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this session."""
    with server_for_session(url=os.environ.get("KANTIS_TEST_POSTGRES_URL")) as server:
        yield server


@pytest.fixture
async def fresh_database(postgres_server: PostgresServer) -> AsyncIterator[FreshDatabase]:
    """Make databases that live as long as the test (see `FreshDatabase`)."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(
            name: str = "plain", build: Build | None = None, *, key: str = ""
        ) -> ServiceDsns:
            return await stack.enter_async_context(postgres_server.database(name, build, key=key))

        yield make
