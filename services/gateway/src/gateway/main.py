"""Composition root of the gateway.

`build_gateway` puts the front before services that run in this process, `build_distributed_gateway` before services in
processes of their own.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.console.server import Console
from gateway.docs.description import Description
from gateway.front import Front
from gateway.keys import api as keys_api
from gateway.keys.gate import KeyGate, TokenMint
from gateway.limits.burst import Burst
from gateway.model_registry import metadata
from gateway.own import OwnPages
from gateway.privacy import consumers as privacy_consumers
from gateway.routes.table import PUBLIC_BODY_BYTES, SERVICES, Route, RouteTable
from gateway.settings import GatewaySettings
from gateway.spool import api as spool_api
from gateway.spool import jobs as spool_jobs
from gateway.spool.intake import LeadIntake
from gateway.upstreams import jobs as upstream_jobs
from gateway.upstreams.clients import HttpUpstream, Upstream, Upstreams
from gateway.users import api as users_api
from kantis_kit.consumer import handlers_in
from kantis_kit.networks import networks
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.timers import jobs_in
from kantis_kit.web.middleware import App

SPEC = ServiceSpec(
    name="gateway",
    title="Gateway",
    settings=GatewaySettings,
    migrations=Path(__file__).resolve().parents[2] / "migrations",
    metadata=metadata,
    routers=[keys_api.router, users_api.router, spool_api.router],
    jobs=jobs_in(spool_jobs),
    handlers=handlers_in(privacy_consumers),
    loops=[spool_jobs.spool_loop, upstream_jobs.connection_keeper],
)


def build_gateway(
    service: Service,
    upstreams: Mapping[str, Upstream],
    *,
    openapi: Mapping[str, Callable[[], dict[str, Any]]] | None = None,
    extra_upstreams: Mapping[str, Upstream] | None = None,
) -> App:
    """Build the application that stands before all services.

    Args:
        service: the gateway's own service (keys, spool), of `SPEC`.
        upstreams: what answers for each service, by its name; ASGI applications or `HttpUpstream`.
        openapi: how to get a service's description, by its name; without it the service is asked for /openapi.json.
        extra_upstreams: further applications by path prefix. Below `/v1` they need a key, and their tokens are for the
            audience that is the last segment of the prefix; elsewhere they are public.
    """
    settings = service.settings
    if not isinstance(settings, GatewaySettings):
        message = f"the gateway needs GatewaySettings, not {type(settings).__name__}"
        raise TypeError(message)
    scope, clock = service.scope, service.clock
    behind = Upstreams(upstreams)
    description = Description(Upstreams({**behind, "gateway": service.asgi}), clock, ask=openapi)
    # Extras are reached but not probed: they come and go with this process.
    reached, table = Upstreams({**behind, "gateway": service.asgi}), RouteTable()
    for prefix, application in (extra_upstreams or {}).items():
        name = prefix.rsplit("/", 1)[-1]
        reached[name] = application
        keyed = prefix.startswith("/v1/")
        table.add(
            Route(prefix, name, needs_key=keyed)
            if keyed
            else Route(prefix, name, needs_key=False, max_body_bytes=PUBLIC_BODY_BYTES)
        )
    scope.extras[Upstreams] = reached
    links = [
        ("/console", "console"),
        ("/docs", "docs"),
        ("/docs#/analytics%3A%20reports", "reports"),
        ("/readyz", "ready"),
    ]
    if table.find("/mailbox") is not None:
        links.insert(0, ("/mailbox", "mailbox"))
    return Front(
        settings,
        table=table,
        upstreams=reached,
        own=OwnPages(
            service,
            settings,
            behind,
            description,
            internal=networks(settings.internal_networks),
            links=links,
        ),
        gate=KeyGate(
            scope, Burst(settings.attempt_limit, clock), cache_seconds=settings.key_cache_seconds
        ),
        mint=TokenMint(service.keys, scope),
        per_key=Burst(settings.key_limit, clock),
        per_address=Burst(settings.ip_limit, clock),
        leads=LeadIntake(scope, timeout_seconds=settings.lead_timeout_seconds),
        proxies=networks(settings.trusted_proxies),
        console=lambda call_as: Console(scope, settings, call_as),
        tracing=service.tracing,
    )


def build_distributed_gateway(service: Service) -> App:
    """Build the gateway before services whose addresses are in the settings (`KANTIS_UPSTREAM_CONTACTS` …)."""
    settings = service.settings
    if not isinstance(settings, GatewaySettings):
        message = f"the gateway needs GatewaySettings, not {type(settings).__name__}"
        raise TypeError(message)

    def reach(name: str) -> dict[str, HttpUpstream]:
        address = str(getattr(settings, f"upstream_{name}"))
        if not address:
            return {}
        upstream = HttpUpstream(
            name,
            address,
            timeout_seconds=settings.upstream_timeout_seconds,
            connections=settings.upstream_connections,
            clock=service.clock,
        )
        return {name: upstream}

    upstreams = {name: upstream for each in SERVICES for name, upstream in reach(each).items()}
    extra = {f"/{name}": upstream for name, upstream in reach("mailbox").items()}
    return build_gateway(service, upstreams, extra_upstreams=extra)
