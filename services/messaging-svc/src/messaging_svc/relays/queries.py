"""Read relays, groups of domains, and how they fare."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from kantis_kit import observability
from kantis_kit.tx import ReadTx
from kantis_kit.vault import CannotUnseal, Vault
from messaging_svc.relays import sql
from messaging_svc.relays.errors import GroupNotFound, RelayNotFound
from messaging_svc.relays.model import domain_group, relay, relay_report, slow_domain
from messaging_svc.relays.routes import SETTINGS_RELAY, Group, Relay, Routes
from messaging_svc.relays.schemas import DomainsOut, GroupOut, RelayOut, RelayReport, SlowOut
from messaging_svc.settings import MessagingSettings
from messaging_svc.wire.server import Tls

log = observability.get_logger(__name__)

FRESH = timedelta(seconds=90)
"""A sender that has said nothing for longer is gone."""


def relay_of(settings: MessagingSettings) -> Relay | None:
    """Return the relay of the settings, None where none is set."""
    if not settings.smtp_host:
        return None
    tls: Tls = "starttls" if settings.smtp_starttls else "none"
    if settings.smtp_implicit_tls:
        tls = "implicit"
    return Relay(
        SETTINGS_RELAY,
        "settings",
        settings.smtp_host,
        settings.smtp_port,
        tls,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
        settings.sender_concurrency,
    )


async def get_routes(tx: ReadTx, settings: MessagingSettings, vault: Vault | None) -> Routes:
    """Return the ways to all domains: by the relays that are active, else by the one of the settings."""
    rows = await tx.execute(select(relay).where(relay.c.is_active).order_by(relay.c.id))
    relays = [one for row in rows if (one := _usable(row, vault)) is not None]
    default = relay_of(settings)
    if not relays and default is not None:
        relays = [default]
    groups = [
        Group(row.name, tuple(row.patterns), row.is_together, row.messages_per_minute, row.connections)
        for row in await tx.execute(select(domain_group).order_by(domain_group.c.name))
    ]  # fmt: skip
    return Routes(relays, groups)


def _usable(row: Row[Any], vault: Vault | None) -> Relay | None:
    password = ""
    if row.sealed is not None:
        try:
            password = vault.open(bytes(row.sealed)) if vault else ""
        except CannotUnseal as error:
            log.warning("relay.no_password", relay=row.name, error=str(error))
            return None
    return Relay(
        row.id, row.name, row.host, row.port, row.tls, row.user_name, password, row.connections,
        tuple(row.domains), row.priority,
    )  # fmt: skip


async def list_relays(tx: ReadTx) -> list[RelayOut]:
    """Return every relay, the first choice first; the one of the settings stands last."""
    rows = (await tx.execute(select(relay).order_by(relay.c.priority, relay.c.name))).all()
    reports = defaultdict(list)
    fresh = relay_report.c.told_at > tx.clock.now() - FRESH
    for row in await tx.execute(select(relay_report).where(fresh).order_by(relay_report.c.sender)):
        reports[row.relay_id].append(RelayReport.model_validate(row))
    found = [
        _out(
            row.id, reports[row.id], name=row.name, host=row.host, port=row.port, tls=row.tls, user=row.user_name,
            has_password=row.sealed is not None, connections=row.connections, domains=row.domains,
            priority=row.priority, is_active=row.is_active, is_used=row.is_active, changed_at=row.changed_at,
        )
        for row in rows
    ]  # fmt: skip
    default = relay_of(tx.settings(MessagingSettings))
    if default is not None:
        is_used = not any(one.is_active for one in found)
        found.append(
            _out(
                None, reports[SETTINGS_RELAY] if is_used else [], name=default.name, host=default.host, port=default.port,
                tls=default.tls, user=default.user, has_password=bool(default.password),
                connections=default.connections, domains=[], priority=default.priority, is_active=True,
                is_used=is_used, changed_at=None,
            )
        )  # fmt: skip
    return found


def _out(relay_id: UUID | None, reports: Sequence[RelayReport], **values: Any) -> RelayOut:
    """Say how a relay fares: up where any sender reaches it, down where one that wants to does not."""
    states = {one.state for one in reports}
    down = [one for one in reports if one.state == "down"]
    newest = max(reports, key=lambda one: (one.last_answer != "", one.since), default=None)
    return RelayOut(
        id=relay_id,
        state="up" if "up" in states else "down" if down else "idle",
        down_since=min(one.since for one in down) if down and "up" not in states else None,
        last_answer=newest.last_answer if newest else "",
        senders=list(reports),
        **values,
    )


async def get_relay(tx: ReadTx, relay_id: UUID) -> RelayOut:
    """Return one relay.

    Raises:
        RelayNotFound: there is none.
    """
    for one in await list_relays(tx):
        if one.id == relay_id:
            return one
    raise RelayNotFound("No relay has this id")


async def get_domains(tx: ReadTx) -> DomainsOut:
    """Return the groups of domains, and what is left alone for a while."""
    groups = await tx.execute(select(domain_group).order_by(domain_group.c.name))
    slow = await tx.execute(
        select(slow_domain)
        .where(slow_domain.c.closed_until > tx.clock.now())
        .order_by(slow_domain.c.lane)
    )
    return DomainsOut(
        groups=[GroupOut.model_validate(row) for row in groups],
        slow=[SlowOut.model_validate(row) for row in slow],
        waiting=int(await tx.scalar(sql.WAITING) or 0),
    )


async def get_group(tx: ReadTx, name: str) -> GroupOut:
    """Return one group of domains.

    Raises:
        GroupNotFound: there is none.
    """
    row = (await tx.execute(select(domain_group).where(domain_group.c.name == name))).first()
    if row is None:
        raise GroupNotFound("No group of domains has this name")
    return GroupOut.model_validate(row)
