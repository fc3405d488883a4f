"""One installation: its data folder, its databases, its broker, its keys, and the settings of every service.

Everything is found or made below one folder, so that two installations stand beside each other undisturbed.
"""

import hashlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from kantis import ports
from kantis.errors import InstallationError
from kantis.registry import ALL, spec_of
from kantis.runtime import Running, birth_of
from kantis_kit import observability
from kantis_kit.brokers.embedded import create_schema
from kantis_kit.clock import SystemClock
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import current, head, migrate
from kantis_kit.db.partitions import Monthly, keep_months
from kantis_kit.db.provision import Secrets, ServiceDsns, addresses, provision
from kantis_kit.inbox import maintain
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import make_keys

log = observability.get_logger(__name__)

WATCH_SECONDS = 0.5
_LAYOUT = "2"
"""Changes when databases or roles must be made anew on an existing data folder."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the environment says about an installation."""

    data_dir: Path
    port: int | None
    public_url: str | None
    postgres_url: str | None
    rabbitmq_url: str | None
    smtp_host: str | None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Surroundings":
        """Read `KANTIS_DATA_DIR`, `KANTIS_PORT`, `KANTIS_PUBLIC_URL`, `KANTIS_POSTGRES_URL` and their like."""
        port = environ.get("KANTIS_PORT")
        if port is not None and not port.isdigit():
            raise InstallationError(f"KANTIS_PORT must be a number, not {port!r}")
        return cls(
            data_dir=Path(environ.get("KANTIS_DATA_DIR", "data")).expanduser().resolve(),
            port=int(port) if port else None,
            public_url=environ.get("KANTIS_PUBLIC_URL"),
            postgres_url=environ.get("KANTIS_POSTGRES_URL"),
            rabbitmq_url=environ.get("KANTIS_RABBITMQ_URL"),
            smtp_host=environ.get("KANTIS_SMTP_HOST"),
        )


@dataclass
class Installation:
    """An installation that has been opened; `close` ends what it started."""

    around: Surroundings
    front: socket.socket | None = None
    """The listening socket of the gateway, once the installation serves."""
    postgres: EmbeddedPostgres | None = None
    dsns: dict[str, ServiceDsns] = field(default_factory=dict)
    broker_urls: dict[str, str] = field(default_factory=dict)
    smtp_port: int | None = None

    @property
    def data_dir(self) -> Path:
        """The folder that holds everything."""
        return self.around.data_dir

    @property
    def port(self) -> int:
        """The port at which the gateway is, or would be, reached."""
        if self.front is not None:
            taken: int = self.front.getsockname()[1]
            return taken
        return self.around.port or ports.DEFAULT_PORT

    @property
    def public_url(self) -> str:
        """The address under which people reach this installation."""
        return self.around.public_url or f"http://127.0.0.1:{self.port}"

    @classmethod
    async def open(cls, around: Surroundings) -> "Installation":
        """Start or reach PostgreSQL, make what is missing, and migrate.

        Raises:
            InstallationError: with what to do about it.
        """
        around.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        installation = cls(around)
        try:
            await installation._prepare()
        except BaseException:
            await installation.close()
            raise
        return installation

    def listen(self) -> socket.socket:
        """Take the port in front, at which callers wait from now on; `close` gives it back.

        Raises:
            InstallationError: the port is taken.
        """
        if self.front is None:
            self.front = ports.listen_in_front(self.around.port)
        return self.front

    async def close(self) -> None:
        """Stop the embedded PostgreSQL and give back the port in front."""
        if self.front is not None:
            self.front.close()
            self.front = None
        if self.postgres is not None:
            await self.postgres.stop()

    async def _prepare(self) -> None:
        if self.around.postgres_url:
            admin = self.around.postgres_url
            passwords = Secrets(self.data_dir / "secrets.json")
        else:
            self.postgres = EmbeddedPostgres(self.data_dir / "postgres")
            await self.postgres.start()
            admin = self.postgres.superuser_dsn()
            passwords = self.postgres.secrets
        make_keys(self.keys_dir, ALL)
        self._link_keys()
        await self._provision(admin, passwords)
        await self._migrate()

    @property
    def keys_dir(self) -> Path:
        """Where the signing keys lie."""
        return self.data_dir / "keys"

    def _link_keys(self) -> str:
        return self._secret("link-keys", lambda: f"1:{secrets.token_hex(32)}")

    def _secret(self, name: str, make: Callable[[], str]) -> str:
        path = self.data_dir / name
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(make())
        return path.read_text(encoding="ascii").strip()

    async def _provision(self, admin: str, passwords: Secrets) -> None:
        # A start that finds everything made asks nothing: the addresses are derived from the stored passwords, whose
        # host part is of today (the socket's folder may move).
        stamp = self.data_dir / "provisioned"
        server = hashlib.sha256((self.around.postgres_url or "embedded").encode()).hexdigest()
        layout = f"{_LAYOUT} {server}"
        done = stamp.exists() and stamp.read_text(encoding="ascii") == layout
        for name in ALL:
            self.dsns[name] = await _addresses(admin, name, passwords, done=done)
        if self.around.rabbitmq_url:
            self.broker_urls = dict.fromkeys(ALL, self.around.rabbitmq_url)
        else:
            broker = await _addresses(admin, "broker", passwords, done=done, clients=ALL)
            self.broker_urls = dict(broker.client_dsns)
            if not done:
                await _with_connection(broker.owner_dsn, create_schema)
        stamp.write_text(layout, encoding="ascii")

    async def _migrate(self) -> None:
        # One after the other: alembic's environment is global to the process.
        for name in ALL:
            folder, dsn = spec_of(name).migrations, self.dsns[name].owner_dsn
            if await current(dsn) != head(folder):
                await migrate(dsn, folder)

    async def keep_postgres(self) -> None:
        """Watch the embedded PostgreSQL for ever; start it again when it dies. Its services reconnect by themselves."""
        clock = SystemClock()
        while self.postgres is not None:
            await clock.sleep(WATCH_SECONDS)
            if not self.postgres.is_alive():
                log.warning("postgres.died", folder=str(self.postgres.data_dir))
                await self.postgres.kill()  # what it left behind
                await self.postgres.start()

    async def maintain(self) -> None:
        """Make and drop the partitions that only the owner may touch; cheap when there is nothing to do."""
        now = SystemClock().now()
        for name in ALL:
            monthly = spec_of(name).partitions

            async def keep(
                connection: "asyncpg.Connection[Any]", monthly: Sequence[Monthly] = monthly
            ) -> None:
                await maintain(connection, now)
                for one in monthly:
                    await keep_months(connection, one, now)

            await _with_connection(self.dsns[name].owner_dsn, keep)

    def values(self, name: str) -> dict[str, str]:
        """Return the settings of one service by field name."""
        values = {
            "data_dir": str(self.data_dir),
            "keys_dir": str(self.keys_dir),
            "public_url": self.public_url,
            "postgres_dsn": self.dsns[name].app_dsn,
            "postgres_owner_dsn": self.dsns[name].owner_dsn,
            "broker_url": self.broker_urls[name],
            "link_keys": self._link_keys(),
        }
        if name == "contacts":
            # Only our own gateway reaches it, and says whose request it passes on.
            key = self._secret("suppression-key", lambda: secrets.token_hex(32))
            values |= {"suppression_key": key, "trust_forwarded_for": "true"}
        if name == "messaging" and self.smtp_port is not None:
            values |= {"smtp_host": "127.0.0.1", "smtp_port": str(self.smtp_port)}
        return values

    def settings(self, name: str, **more: Any) -> ServiceSettings:
        """Return the settings of one service; what the environment says about its other fields holds."""
        return spec_of(name).settings(**{**self.values(name), **more})

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment of one service's own process."""
        return {
            **os.environ,
            **{f"KANTIS_{key.upper()}": value for key, value in self.values(name).items()},
        }

    def note(self) -> Running:
        """Return the note that other commands read."""
        return Running(
            url=self.public_url,
            pid=os.getpid(),
            dsns={name: dsns.app_dsn for name, dsns in self.dsns.items()},
            mailbox=self.smtp_port is not None,
            born=birth_of(os.getpid()),
        )


async def _addresses(
    admin: str, name: str, passwords: Secrets, *, done: bool, clients: tuple[str, ...] = ()
) -> ServiceDsns:
    if not done:
        return await provision(admin, name, passwords=passwords, clients=clients)
    return addresses(admin, name, passwords=passwords, clients=clients)


async def _with_connection(
    dsn: str, work: Callable[["asyncpg.Connection[Any]"], Awaitable[None]]
) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await work(connection)
    finally:
        await connection.close()
