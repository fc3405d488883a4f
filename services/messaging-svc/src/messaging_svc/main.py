"""Composition root of messaging-svc: settings, routes, subscriptions and the sender become a service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kantis_kit.consumer import handlers_in
from kantis_kit.observability import (
    conversations_overdue,
    in_doubt_rows,
    relay_up,
    reputation_bounces,
    sending_held,
    slow_domains,
    spend_caps_reached,
)
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.timers import jobs_in, timers_in
from kantis_kit.tx import read
from kantis_kit.vault import Vault
from messaging_svc.bounces import api as bounces
from messaging_svc.bounces import jobs as bounce_jobs
from messaging_svc.bounces import mailbox as bounce_mailbox
from messaging_svc.bounces import queries as bounced
from messaging_svc.caps import api as caps
from messaging_svc.caps import sql as caps_sql
from messaging_svc.conversations import api as conversations
from messaging_svc.conversations import mailbox as reply_mailbox
from messaging_svc.conversations import public as contact
from messaging_svc.conversations import queries as conversing
from messaging_svc.conversations.streams import Hub
from messaging_svc.dispatch import api as messages
from messaging_svc.dispatch import consumers as dispatch_consumers
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.jobs import preparing
from messaging_svc.dispatch.mail import send_loop
from messaging_svc.holds import api as holds
from messaging_svc.holds import consumers as hold_consumers
from messaging_svc.hours import api as hours
from messaging_svc.inbound import api as inbound
from messaging_svc.letters import api as letters
from messaging_svc.letters import consumers as letter_consumers
from messaging_svc.letters import jobs as letter_jobs
from messaging_svc.links import LinkMaker, TrackingTokens
from messaging_svc.mailboxes import jobs as mailbox_jobs
from messaging_svc.merges import consumers as merge_consumers
from messaging_svc.merges import jobs as merge_jobs
from messaging_svc.model_registry import metadata
from messaging_svc.phone import api as phone
from messaging_svc.phone import consumers as phone_consumers
from messaging_svc.phone.sql import CALLS
from messaging_svc.privacy import consumers as privacy_consumers
from messaging_svc.privacy import jobs as privacy_jobs
from messaging_svc.products import consumers as product_consumers
from messaging_svc.quarantine import api as sending
from messaging_svc.quarantine import queries as quarantine
from messaging_svc.register import consumers as register_consumers
from messaging_svc.relays import api as relays
from messaging_svc.relays import queries as relaying
from messaging_svc.relays.model import SEALED
from messaging_svc.senders import api as senders
from messaging_svc.senders import jobs as sender_jobs
from messaging_svc.senders.clients import DnsResolver
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms import api as sms
from messaging_svc.sms.sender import send_texts
from messaging_svc.templates import api as templates
from messaging_svc.templates import consumers as template_consumers
from messaging_svc.templates import jobs as template_jobs
from messaging_svc.tracking import api as tracking
from messaging_svc.tracking.fast import fast_visits
from messaging_svc.web import api as web
from messaging_svc.web import consumers as web_consumers
from messaging_svc.web.sql import PAGES


def _extras(settings: ServiceSettings) -> Mapping[type, Any]:
    found: dict[type, Any] = {Hub: Hub()}
    if not isinstance(settings, MessagingSettings) or not settings.link_keys.get_secret_value():
        return found
    links = LinkMaker.from_settings(settings)
    found[LinkMaker], found[TrackingTokens] = links, links.tokens
    found[Vault] = Vault.from_text(settings.link_keys.get_secret_value(), purpose=SEALED)
    found[DnsResolver] = DnsResolver.from_settings(settings)
    return found


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


async def _count_overdue(service: Service) -> None:
    pool = await service.database.pool()
    rows = await pool.fetchval(conversing.COUNT_OVERDUE, service.clock.now())
    conversations_overdue.labels(service.spec.name).set(rows)


async def _tell_relays(service: Service) -> None:
    async with read(service.scope) as tx:
        relays = await relaying.list_relays(tx)
        domains = await relaying.get_domains(tx)
    relay_up.clear()
    for one in relays:
        if one.is_used:
            relay_up.labels(service.spec.name, one.name).set(one.state != "down")
    slow_domains.labels(service.spec.name).set(len(domains.slow))


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
        phone.router,
        tracking.suppressions,
        sms.router,
        inbound.router,
        conversations.router,
        bounces.router,
        relays.router,
        relays.domains,
        senders.router,
        web.router,
    ],
    public={
        "/c": [tracking.clicks],
        "/o": [tracking.openings],
        "/u": [tracking.unsubscribing],
        "/s": [sms.short],
        "/chat": [contact.router],
        "/w": [sms.hooks, inbound.hooks, bounces.hooks, web.pages],
    },
    fast={"/c": fast_visits, "/o": fast_visits},
    handlers=handlers_in(
        register_consumers,
        template_consumers,
        letter_consumers,
        dispatch_consumers,
        hold_consumers,
        merge_consumers,
        phone_consumers,
        privacy_consumers,
        product_consumers,
        web_consumers,
    ),
    timers=timers_in(merge_jobs, letter_jobs),
    jobs=jobs_in(privacy_jobs, bounce_jobs, mailbox_jobs, template_jobs),
    loops=[
        send_loop,
        send_texts,
        letter_jobs.print_letters,
        preparing(CALLS, PAGES),
        bounce_mailbox.fetch_bounces,
        reply_mailbox.fetch_replies,
        sender_jobs.keep_checked,
    ],
    gauges=[
        _count_in_doubt,
        _tell_held,
        _count_reached,
        _tell_reputation,
        _count_overdue,
        _tell_relays,
    ],
    extras=_extras,
)
