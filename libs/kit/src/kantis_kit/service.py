"""A service from its parts: `ServiceSpec` says what it is, `Service` runs it.

One process holds the web side, the worker side (relay, consumers, retries, timers, own loops), or both.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import MetaData
from starlette.responses import JSONResponse, Response

from kantis_kit import observability
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.tokens import TokenVerifier
from kantis_kit.brokers import connect as connect_broker
from kantis_kit.brokers.depths import read_depths
from kantis_kit.brokers.port import Broker
from kantis_kit.clock import Clock, SystemClock
from kantis_kit.consumer import Handler, QueueConsumer, Retrier, subscriptions
from kantis_kit.db import Database
from kantis_kit.db.database import Listener
from kantis_kit.db.migrate import current, head, migrate
from kantis_kit.db.partitions import Monthly
from kantis_kit.db.tables import OUTBOX_CHANNEL
from kantis_kit.errors import BrokerError
from kantis_kit.housekeeping import KIT_JOBS
from kantis_kit.parked import Parked
from kantis_kit.relay import Relay
from kantis_kit.sagas import SagaDefinition, Sagas
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import Keys
from kantis_kit.timers import Job, TimerHandler, TimerLoop, count_parked
from kantis_kit.tx import Scope, read
from kantis_kit.web.app import create_api, create_public
from kantis_kit.web.middleware import App, Edge, Receive, Send
from kantis_kit.web.middleware import Scope as AsgiScope
from kantis_kit.web.operations import operations_router
from kantis_kit.web.router import Router
from kantis_kit.web.state import WebRuntime

log = observability.get_logger(__name__)

LOOP_PAUSE_SECONDS = 0.5

Reading = Callable[["Service"], Awaitable[None]]
Loop = Callable[["Service"], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class ServiceSpec:
    """What a service is made of; `main.py` fills it in and does nothing else."""

    name: str
    """`contacts`, `orders` …: the prefix of its events and queues."""
    title: str
    settings: type[ServiceSettings]
    migrations: Path
    metadata: MetaData | None = None
    partitions: Sequence[Monthly] = ()
    version: str = "0.1.0"
    routers: Sequence[Router] = ()
    public: Mapping[str, Sequence[Router]] = field(default_factory=dict)
    """Public pages by path prefix, such as `/f`."""
    fast: Mapping[str, Callable[["Service", App], App]] = field(default_factory=dict)
    """What stands in front of the pages of a prefix, or of the API by `/v1`: serves what it can quickly, passes all else on."""
    handlers: Sequence[Handler] = ()
    timers: Sequence[TimerHandler] = ()
    jobs: Sequence[Job] = ()
    sagas: Sequence[SagaDefinition] = ()
    """Long transactions; their deadlines and compensations run in the timer loop."""
    loops: Sequence[Loop] = ()
    """Own loops of the worker side, such as the mail sender; begun anew when they fail, cancelled at the stop."""
    gauges: Sequence[Reading] = ()
    """What sets the service's own gauges; asked when metrics are read, at most once a second."""
    extras: Callable[[ServiceSettings], Mapping[type, Any]] = lambda _settings: {}
    public_max_body_bytes: int = 65_536


class Service:
    """A running service."""

    def __init__(
        self,
        spec: ServiceSpec,
        settings: ServiceSettings,
        *,
        clock: Clock | None = None,
        broker: Broker | None = None,
        keys: Keys | None = None,
        database: Database | None = None,
    ) -> None:
        self.spec = spec
        self.settings = settings
        self.clock = clock or SystemClock()
        self.keys = keys or Keys.load(settings.keys_dir, spec.name)
        self.database = database or Database(
            settings.postgres_dsn.get_secret_value(),
            name=f"kantis-{spec.name}",
            pool_size=settings.pool_size,
            worker_pool_size=settings.worker_pool_size,
            statement_timeout_ms=settings.statement_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
            connect_timeout_seconds=settings.connect_timeout_seconds,
        )
        self.broker = broker or connect_broker(
            settings.broker_url.get_secret_value(), service=spec.name
        )
        self.sagas = Sagas(spec.sagas)
        extras = {**spec.extras(settings), Sagas: self.sagas}
        if settings.link_keys.get_secret_value():
            extras.setdefault(
                LinkSigner, LinkSigner.from_text(settings.link_keys.get_secret_value())
            )
        self.tracing = observability.tracing_for(spec.name, settings.otlp_endpoint)
        self.tracing.watch_engine(self.database.engine)
        self.scope = Scope(self.database, settings, self.clock, extras=extras, tracing=self.tracing)
        self.figures = observability.Figures(spec.name, self._read_figures)
        self.relay = Relay(
            self.scope, self.broker, self.keys, service=spec.name, batch=settings.relay_batch
        )
        self.consumers = [
            QueueConsumer(self.scope, self.broker, self.keys, subscription.queue, spec.handlers)
            for subscription in subscriptions(spec.handlers)
        ]
        self.retrier = Retrier(self.scope, self.consumers)
        self.timers = TimerLoop(
            self.scope,
            service=spec.name,
            handlers=(*spec.timers, *self.sagas.timers),
            jobs=(*spec.jobs, *KIT_JOBS),
        )
        self.scope.after_commit = self.relay.wake
        self.scope.after_schedule = self.timers.wake
        self._lag: tuple[int, float] = (0, 0.0)
        self._parked = 0
        self.stopping = False
        self._is_worker = False
        self._tasks: list[asyncio.Task[None]] = []
        self._web: App | None = None

    # -- web side ----------------------------------------------------------------------------------------------------

    @property
    def asgi(self) -> App:
        """The service's ASGI application: API, public pages, probes."""
        if self._web is None:
            self._web = self._build_web()
        return self._web

    def _build_web(self) -> App:
        verifier = TokenVerifier(self.keys, audience=self.spec.name, clock=self.clock)
        runtime = WebRuntime(self.spec.name, self.scope, verifier, self._standing)
        api = self._api(runtime)
        pages: dict[str, App] = {
            prefix: create_public(runtime, routers, max_body_bytes=self.spec.public_max_body_bytes)
            for prefix, routers in self.spec.public.items()
        }
        for prefix, wrap in self.spec.fast.items():
            pages[prefix] = wrap(self, pages.get(prefix, api))
        probes: dict[str, Callable[[], Awaitable[Response]]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
        }

        async def dispatch(scope: AsgiScope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await _lifespan(receive, send)
                return
            path: str = scope["path"]
            probe = probes.get(path)
            if probe is not None:
                response = await probe()
                await response(scope, receive, send)
                return
            first = "/" + path.split("/", 2)[1]
            await pages.get(first, api)(scope, receive, send)

        return Edge(
            dispatch, service=self.spec.name, timeout_seconds=self.settings.request_timeout_seconds
        )

    def _api(self, runtime: WebRuntime) -> FastAPI:
        return create_api(
            runtime,
            [*self.spec.routers, operations_router(self.spec.name)],
            title=self.spec.title,
            version=self.spec.version,
            max_body_bytes=self.settings.max_body_bytes,
        )

    def openapi(self) -> dict[str, Any]:
        """Return the description of the service's API."""
        verifier = TokenVerifier(self.keys, audience=self.spec.name, clock=self.clock)
        return self._api(WebRuntime(self.spec.name, self.scope, verifier, self._standing)).openapi()

    async def _livez(self) -> Response:
        return JSONResponse({"status": "alive"})

    async def _readyz(self) -> Response:
        checks = await self.readiness()
        good = not self.stopping and all(check["ok"] for check in checks.values())
        return JSONResponse(
            {
                "status": "ready" if good else "not ready",
                "stopping": self.stopping,
                "checks": checks,
            },
            status_code=200 if good else 503,
            headers={} if good else {"Retry-After": "1"},
        )

    async def readiness(self) -> dict[str, dict[str, Any]]:
        """Return per dependency whether it is there, with a sentence when it is not.

        A broker that is away does not make the web side unready: what it takes in waits in the outbox.
        """
        checks: dict[str, dict[str, Any]] = {}
        try:
            await asyncio.wait_for(self.database.ping(), timeout=3)
            checks["database"] = {"ok": True}
        except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
            checks["database"] = {
                "ok": False,
                "detail": f"does not answer ({type(error).__name__})",
            }
            return checks
        failure = await self.figures.refresh()
        if failure is None:
            checks["outbox"] = {
                "ok": True,
                "waiting": self._lag[0],
                "oldest_seconds": round(self._lag[1], 1),
            }
            checks["parked"] = {"ok": True, "messages": self._parked}
        elif isinstance(failure, TimeoutError):
            # Counting what lies there takes long exactly when much is to be done: no reason to do less.
            checks["outbox"] = {"ok": True, "detail": "could not be counted in time"}
        else:  # most likely the migrations have not run
            checks["outbox"] = {
                "ok": False,
                "detail": f"cannot be read ({type(failure).__name__}); run `kantis migrate`",
            }
        if self._is_worker:  # the web side has no connection to the broker and needs none
            checks["broker"] = {"ok": True, "state": self.broker.state}
        return checks

    async def _metrics(self) -> Response:
        await self.figures.refresh()
        return Response(await observability.render(), media_type="text/plain; version=0.0.4")

    async def _read_figures(self) -> None:
        self._lag = await self.relay.lag()
        self._parked = await Parked(self.scope).count()
        observability.parked_rows.labels(self.spec.name).set(self._parked)
        async with read(self.scope) as tx:
            observability.parked_timers.labels(self.spec.name).set(await count_parked(tx))
        await self.sagas.tell(self.scope, self.spec.name)
        for reading in self.spec.gauges:
            await reading(self)
        await self._depths()

    async def _standing(self) -> tuple[dict[str, int | None], tuple[int, float]]:
        """Return how many messages wait in each queue, and the lag of the outbox."""
        return await self._depths(), await self.relay.lag()

    async def _depths(self) -> dict[str, int | None]:
        return await read_depths(self.broker, [one.queue for one in self.consumers])

    # -- worker side -------------------------------------------------------------------------------------------------

    async def start(self, *, worker: bool = True, connect: bool = True) -> None:
        """Start the worker side, or only what the web side needs to wake other processes' relays.

        With `connect=False` the broker is connected already and knows the queues.
        """
        observability.add_figures(self.figures)
        if not worker:
            self._spawn("notifier", self.relay.run_notifier)
            return
        self._is_worker = True
        if connect:
            self._spawn("broker", self._connect_and_work)
        else:
            self._work()
        self._spawn("timers", self.timers.run)
        self._spawn("retrier", self.retrier.run)
        self._spawn("notifier", self.relay.run_notifier)
        self._spawn("listener", Listener(self.database, OUTBOX_CHANNEL, self.relay.wake_here).run)
        for loop in self.spec.loops:
            self._spawn(getattr(loop, "__name__", "loop"), partial(loop, self))

    async def _connect_and_work(self) -> None:
        while True:
            try:
                await self.broker.start()
                await self.broker.declare(subscriptions(self.spec.handlers))
                break
            except (BrokerError, OSError, TimeoutError) as error:
                # With its words: a right that is missing in RabbitMQ looks like this, too, and passes with no retry.
                log.warning(
                    "broker.away",
                    service=self.spec.name,
                    error=type(error).__name__,
                    detail=str(error)[:300],
                )
                await asyncio.sleep(0.5)
        self._work()

    def _work(self) -> None:
        self._spawn("relay", self.relay.run)
        for consumer in self.consumers:
            self._spawn(f"consumer {consumer.queue}", consumer.run)

    def _spawn(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(
            self._keep(name, work), name=f"{self.spec.name}: {name}"
        )
        self._tasks.append(task)

    async def _keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop; one that dies of what it did not expect is begun anew: a process without it only looks alive."""
        while True:
            try:
                await work()
            except Exception as error:
                observability.loops_died.labels(self.spec.name, name).inc()
                log.exception(
                    "service.loop_died",
                    service=self.spec.name,
                    loop=name,
                    error=type(error).__name__,
                )
                await asyncio.sleep(LOOP_PAUSE_SECONDS)
            else:
                return

    async def stop(self) -> None:
        """Stop taking work, let what is under way end or roll back, publish what is committed, disconnect."""
        self.stopping = True
        observability.remove_figures(self.figures)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        try:
            async with asyncio.timeout(5):
                while self.broker.state == "up" and await self.relay.step():
                    pass
        except Exception as error:  # noqa: BLE001 - what was not published stays in the outbox
            log.info(
                "service.stopped_with_outbox", service=self.spec.name, error=type(error).__name__
            )
        try:
            await asyncio.wait_for(self.broker.stop(), timeout=5)
        except Exception as error:  # noqa: BLE001 - we are leaving anyway
            log.info(
                "service.broker_not_closed", service=self.spec.name, error=type(error).__name__
            )
        await self.database.close()
        await asyncio.to_thread(self.tracing.close)

    # -- migrations --------------------------------------------------------------------------------------------------

    async def migrate(self) -> None:
        """Bring the database to the newest revision, as its owner."""
        await migrate_service(self.spec, self.settings)

    async def is_migrated(self) -> bool:
        """Say whether the database stands at the newest revision."""
        dsn = (
            self.settings.postgres_owner_dsn.get_secret_value()
            or self.settings.postgres_dsn.get_secret_value()
        )
        return await current(dsn) == head(self.spec.migrations)


async def migrate_service(spec: ServiceSpec, settings: ServiceSettings) -> None:
    """Run a service's migrations as the owner of its database."""
    dsn = settings.postgres_owner_dsn.get_secret_value() or settings.postgres_dsn.get_secret_value()
    await migrate(dsn, spec.migrations)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
