"""Composition root of messaging-svc: settings, routes, subscriptions and the sender become a service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kantis_kit.consumer import handlers_in
from kantis_kit.observability import (
    in_doubt_rows,
    reputation_bounces,
    sending_held,
    spend_caps_reached,
)
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.timers import jobs_in, timers_in
from kantis_kit.tx import read
from messaging_svc.bounces import api as bounces
from messaging_svc.bounces import jobs as bounce_jobs
from messaging_svc.bounces import queries as bounced
from messaging_svc.caps import api as caps
from messaging_svc.caps import sql as caps_sql
from messaging_svc.dispatch import api as messages
from messaging_svc.dispatch import consumers as dispatch_consumers
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.mail import send_loop
from messaging_svc.holds import api as holds
from messaging_svc.holds import consumers as hold_consumers
from messaging_svc.hours import api as hours
from messaging_svc.inbound import api as inbound
from messaging_svc.letters import api as letters
from messaging_svc.letters import consumers as letter_consumers
from messaging_svc.letters import jobs as letter_jobs
from messaging_svc.links import LinkMaker, TrackingTokens
from messaging_svc.merges import consumers as merge_consumers
from messaging_svc.merges import jobs as merge_jobs
from messaging_svc.model_registry import metadata
from messaging_svc.privacy import consumers as privacy_consumers
from messaging_svc.privacy import jobs as privacy_jobs
from messaging_svc.quarantine import api as sending
from messaging_svc.quarantine import queries as quarantine
from messaging_svc.register import consumers as register_consumers
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms import api as sms
from messaging_svc.sms.sender import send_texts
from messaging_svc.templates import api as templates
from messaging_svc.tracking import api as tracking


def _extras(settings: ServiceSettings) -> Mapping[type, Any]:
    if not settings.link_keys.get_secret_value():
        return {}
    links = LinkMaker.from_settings(settings)
    return {LinkMaker: links, TrackingTokens: links.tokens}


async def _count_in_doubt(service: Service) -> None:
    pool = await service.database.pool()
    rows = await pool.fetchval(sql.COUNT_IN_DOUBT)
    in_doubt_rows.labels(service.spec.name).set(rows)


async def _tell_held(service: Service) -> None:
    pool = await service.database.pool()
    sending_held.labels(service.spec.name).set(await pool.fetchval(quarantine.IS_HELD))


async def _count_reached(service: Service) -> None:
    pool = await service.database.pool()
    spend_caps_reached.labels(service.spec.name).set(await pool.fetchval(caps_sql.COUNT_REACHED))


async def _tell_reputation(service: Service) -> None:
    async with read(service.scope) as tx:
        found = await bounced.count_reputation(tx)
    reputation_bounces.labels(service.spec.name).set(found)


SPEC = ServiceSpec(
    name="messaging",
    title="Messaging",
    settings=MessagingSettings,
    migrations=Path(__file__).resolve().parents[2] / "migrations",
    metadata=metadata,
    # /v1/messages/sending stands before /v1/messages/{message_id}, which would take its name for an id.
    routers=[
        templates.router,
        sending.router,
        messages.router,
        messages.launches,
        hours.router,
        caps.router,
        holds.router,
        letters.router,
        tracking.suppressions,
        sms.router,
        inbound.router,
        bounces.router,
    ],
    public={
        "/c": [tracking.clicks],
        "/o": [tracking.openings],
        "/u": [tracking.unsubscribing],
        "/s": [sms.short],
        "/w": [sms.hooks, inbound.hooks, bounces.hooks],
    },
    handlers=handlers_in(
        register_consumers,
        letter_consumers,
        dispatch_consumers,
        hold_consumers,
        merge_consumers,
        privacy_consumers,
    ),
    timers=timers_in(merge_jobs, letter_jobs),
    jobs=jobs_in(privacy_jobs, bounce_jobs),
    loops=[send_loop, send_texts, letter_jobs.print_letters],
    gauges=[_count_in_doubt, _tell_held, _count_reached, _tell_reputation],
    extras=_extras,
)
