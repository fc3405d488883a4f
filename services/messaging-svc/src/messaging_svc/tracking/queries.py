"""Read what tracking needs to answer a visitor, and the suppression list."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, func, select

from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.tx import ReadTx
from messaging_svc.addresses import address_hash
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.links import TEST_PAGE, LinkMaker
from messaging_svc.register.model import permission_card, person_card
from messaging_svc.templates.model import template_version
from messaging_svc.templates.rendering import Compiled
from messaging_svc.tracking.model import Mail, engagement, suppression
from messaging_svc.tracking.schemas import SuppressionOut

BURST = timedelta(seconds=10)


async def find_message(tx: ReadTx, message_id: UUID) -> Mail | None:
    """Return what a click or an opening is about, or None for a message that is gone."""
    found = await tx.execute(
        select(
            dispatch.c.id, dispatch.c.origin, dispatch.c.channel, dispatch.c.purpose, dispatch.c.person_id, dispatch_source.c.campaign_id,
            dispatch_source.c.cell_id, dispatch.c.response_code, dispatch.c.template_version_id,
            func.coalesce(dispatch.c.language, person_card.c.language, "en").label("language"),
            case((dispatch.c.state == State.ACCEPTED.value, dispatch.c.settled_at)).label("accepted_at"),
        )
        .outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)
        .outerjoin(person_card, person_card.c.person_id == dispatch.c.person_id)
        .where(dispatch.c.id == message_id)
    )  # fmt: skip
    row = found.first()
    if row is None:
        return None
    purpose = Purpose(row.purpose) if row.purpose else None
    told = {**row._mapping, "channel": Channel(row.channel), "purpose": purpose}  # noqa: SLF001 - its public name
    return Mail(**told)


async def find_target(tx: ReadTx, message: Mail, position: int) -> str | None:
    """Return where a link leads."""
    if message.template_version_id is None:
        return None
    stored = await tx.scalar(
        select(template_version.c.compiled).where(
            template_version.c.id == message.template_version_id
        )
    )
    return target_of(message, Compiled.from_json(stored), position, tx.use(LinkMaker))


def target_of(message: Mail, compiled: Compiled, position: int, own: LinkMaker) -> str | None:
    """Return where a link leads: stored with the version of the template, never taken from the request."""
    links = compiled.links(compiled.language_for(message.language))
    if position >= len(links):
        return None
    if links[position].kind == "response":
        if message.origin == "test":
            return own.click(message.id, TEST_PAGE)
        return own.response(message.response_code) if message.response_code else own.base
    return links[position].target


async def count_burst(tx: ReadTx, message_id: UUID, position: int, now: datetime) -> int:
    """Return how many different links of the message were followed in the last seconds, this one included."""
    others = await tx.scalar(
        select(func.count(engagement.c.link.distinct())).where(
            engagement.c.message_id == message_id,
            engagement.c.kind == "click",
            engagement.c.link != position,
            engagement.c.seen_at > now - BURST,
        )
    )
    return int(others or 0) + 1


async def language_of(tx: ReadTx, person_id: UUID | None) -> Language:
    """Return the language in which a person is addressed."""
    found = await tx.scalar(
        select(person_card.c.language).where(person_card.c.person_id == person_id)
    )
    return Language(found) if found else Language.EN


async def has_yes(tx: ReadTx, person_id: UUID, channel: Channel, purpose: Purpose) -> bool:
    """Say whether a yes is known, or one that waits for its confirmation."""
    found = await tx.scalar(
        select(permission_card.c.state).where(
            permission_card.c.person_id == person_id,
            permission_card.c.channel == channel.value,
            permission_card.c.purpose == purpose.value,
            permission_card.c.state != "withdrawn",
        )
    )
    return found is not None


async def list_suppressions(tx: ReadTx, *, after: UUID | None, limit: int) -> list[SuppressionOut]:
    """Return a page of the suppression list."""
    statement = select(suppression).order_by(suppression.c.id).limit(limit)
    if after:
        statement = statement.where(suppression.c.id > after)
    return [_out(row) for row in await tx.execute(statement)]


async def find_suppression(tx: ReadTx, email: str) -> SuppressionOut | None:
    """Return the entry of an address, if there is one."""
    found = await tx.execute(
        select(suppression).where(suppression.c.address_hash == address_hash(email))
    )
    row = found.first()
    return _out(row) if row else None


def _out(row: Row[Any]) -> SuppressionOut:
    return SuppressionOut(
        id=row.id,
        address_hash=bytes(row.address_hash).hex(),
        reason=row.reason,
        note=row.note,
        added_by=row.added_by,
        added_at=row.added_at,
    )
