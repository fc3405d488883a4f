"""A service in a house of its own: an embedded PostgreSQL, its database, and what the measured parts need of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from kantis_contracts.base import REGISTRY, SERVICES
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.brokers.embedded import EmbeddedBroker, create_schema
from kantis_kit.brokers.port import Subscription
from kantis_kit.clock import SystemClock
from kantis_kit.consumer import subscriptions
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import Keys, make_keys

_SECRET = "5a" * 32


@dataclass(frozen=True, slots=True)
class Idle:
    """A service whose loops do not run, and a pool of the owner of its tables."""

    service: Service
    pool: "asyncpg.Pool[Any]"
    keys: Path

    def token(self, who: str, *scopes: str) -> str:
        """Return a token as the gateway issues it."""
        return issue_token(
            Keys.load(self.keys, "gateway"),
            Principal(who, who, frozenset(scopes)),
            audience=self.service.spec.name,
            now=self.service.clock.now(),
        )


async def idle_service(
    stack: AsyncExitStack, folder: Path, spec: ServiceSpec, *, pool: int, **settings: Any
) -> Idle:
    """Make a service's database, and the service, whose loops stay still; `pool` is how many connections the owner gets."""
    keys = folder / "keys"
    make_keys(keys, (spec.name, "gateway"))
    postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
    dsns = await provision(postgres.superuser_dsn(), spec.name, passwords=postgres.secrets)
    await migrate(dsns.owner_dsn, spec.migrations)
    made = spec.settings(
        data_dir=folder, keys_dir=keys, postgres_dsn=SecretStr(dsns.app_dsn),
        postgres_owner_dsn=SecretStr(dsns.owner_dsn), link_keys=SecretStr(f"1:{_SECRET}"), environment="test", **settings,
    )  # fmt: skip
    service = Service(spec, made, broker=EmbeddedBroker(dsns.app_dsn, name="bench"))
    stack.push_async_callback(service.database.close)
    owner = await stack.enter_async_context(
        asyncpg.create_pool(dsns.owner_dsn, min_size=1, max_size=pool)
    )
    return Idle(service, owner, keys)


@dataclass(frozen=True, slots=True)
class House:
    """The databases of a service and of its broker."""

    spec: ServiceSpec
    settings: ServiceSettings
    postgres: EmbeddedPostgres
    broker_dsn: str
    owner: "asyncpg.Connection[asyncpg.Record]"


async def open_house(
    stack: AsyncExitStack, folder: Path, spec: ServiceSpec, **settings: Any
) -> House:
    """Make the databases."""
    make_keys(folder / "keys", (*SERVICES, "gateway"))
    postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
    dsns = await provision(postgres.superuser_dsn(), spec.name, passwords=postgres.secrets)
    await migrate(dsns.owner_dsn, spec.migrations)
    broker_dsns = await provision(postgres.superuser_dsn(), "broker", passwords=postgres.secrets)
    schema = await asyncpg.connect(broker_dsns.owner_dsn)
    await create_schema(schema)
    await schema.close()
    made = spec.settings(
        keys_dir=folder / "keys", data_dir=folder / "data", postgres_dsn=SecretStr(dsns.app_dsn),
        broker_url=SecretStr("postgresql://given"), link_keys=SecretStr(f"1:{_SECRET}"), **settings,
    )  # fmt: skip
    owner = await asyncpg.connect(dsns.owner_dsn)
    stack.push_async_callback(owner.close)
    return House(spec, made, postgres, broker_dsns.app_dsn, owner)


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Run the service, with its loops, and give a client of it."""
    broker = EmbeddedBroker(house.broker_dsn)
    service = Service(house.spec, house.settings, broker=broker)
    await broker.start()
    # Somebody must take what is told, or the relay would try again and again.
    everybody = Subscription("bench.everything", tuple(sorted(REGISTRY)))
    await broker.declare([*subscriptions(house.spec.handlers), everybody])
    await service.start(connect=False)
    token = issue_token(
        Keys.load(house.settings.keys_dir, "gateway"),
        Principal("bench", "bench", frozenset({"*"})),
        audience=house.spec.name,
        now=SystemClock().now(),
    )
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.asgi),
            base_url="http://service.test",
            timeout=600,
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield client
    finally:
        await service.stop()
