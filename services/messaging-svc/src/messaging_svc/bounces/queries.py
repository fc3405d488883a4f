"""Read bounces, and the messages that they are about."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import aliased

from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx
from messaging_svc.addresses import address_hash, phone_hash
from messaging_svc.base import Uid
from messaging_svc.bounces.model import (
    REPUTATION_WINDOW,
    SOFT,
    SOFT_PAUSE,
    SOFT_WINDOW,
    Category,
    bounce,
    is_worn_out,
)
from messaging_svc.bounces.schemas import BounceOut
from messaging_svc.dispatch.model import dispatch
from messaging_svc.register.model import person_card
from messaging_svc.tracking.model import engagement, suppression

_SMS = "sms"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as its bounce is about it."""

    id: UUID
    person_id: UUID | None
    channel: str
    address_hash: bytes | None
    is_current: bool
    """Whether the person has had this address since before the message went out."""


async def find_sent(tx: ReadTx, message_ids: Collection[UUID]) -> dict[UUID, Sent]:
    """Return those of these messages that exist."""
    if not message_ids:
        return {}
    found = await tx.execute(
        select(
            dispatch.c.id, dispatch.c.person_id, dispatch.c.channel, dispatch.c.to_email, dispatch.c.to_phone,
            dispatch.c.handed_over_at, person_card.c.email_hash, person_card.c.phone_hash,
            person_card.c.last_email_hash, person_card.c.email_since, person_card.c.phone_since,
        )
        .outerjoin(person_card, person_card.c.person_id == dispatch.c.person_id)
        .where(dispatch.c.id == one_of(sorted(message_ids), Uid))
    )  # fmt: skip
    return {row.id: _sent(row) for row in found}


def _sent(row: Row[tuple[object, ...]]) -> Sent:
    given: bytes | None
    since = row.phone_since if row.channel == _SMS else row.email_since
    if row.channel == _SMS:
        given = phone_hash(row.to_phone) if row.to_phone else row.phone_hash
    else:
        given = (
            address_hash(row.to_email) if row.to_email else row.email_hash or row.last_email_hash
        )
    is_current = bool(
        row.to_email
        or row.to_phone
        or row.handed_over_at is None
        or since is None
        or since <= row.handed_over_at
    )
    return Sent(
        row.id, row.person_id, row.channel, bytes(given) if given is not None else None, is_current
    )


async def find_worn_out(tx: ReadTx, hashes: Sequence[bytes], now: datetime) -> set[bytes]:
    """Return those of these addresses at which messages have come back for passing reasons too often, lately.

    What has arrived, or was opened by a person, since wipes the count out.
    """
    arrived = aliased(bounce)
    opened = (
        select(engagement.c.id)
        .join(dispatch, dispatch.c.id == engagement.c.message_id)
        .where(
            dispatch.c.person_id == bounce.c.person_id,
            engagement.c.verdict == "human",
            engagement.c.seen_at > bounce.c.occurred_at,
            bounce.c.channel == "email",
        )
    )
    since = select(arrived.c.id).where(
        arrived.c.address_hash == bounce.c.address_hash,
        arrived.c.category == Category.DELIVERED.value,
        arrived.c.occurred_at > bounce.c.occurred_at,
    )
    found = await tx.execute(
        select(bounce.c.address_hash, bounce.c.occurred_at).where(
            bounce.c.address_hash.in_(hashes),
            bounce.c.category.in_([one.value for one in SOFT]),
            bounce.c.undone_at.is_(None),
            bounce.c.occurred_at > now - SOFT_WINDOW - SOFT_PAUSE,
            ~exists(since),
            ~exists(opened),
        )
    )
    moments: dict[bytes, list[datetime]] = defaultdict(list)
    for row in found:
        moments[bytes(row.address_hash)].append(row.occurred_at)
    return {hashed for hashed, told in moments.items() if is_worn_out(told, now=now)}


async def list_paused(tx: ReadTx, *, after: bytes, limit: int) -> list[bytes]:
    """Return addresses that are left alone because of passing bounces."""
    found = await tx.scalars(
        select(suppression.c.address_hash)
        .where(suppression.c.reason == "soft_bounces", suppression.c.address_hash > after)
        .order_by(suppression.c.address_hash)
        .limit(limit)
    )
    return [bytes(one) for one in found]


async def list_bounces(
    tx: ReadTx,
    *,
    category: Category | None,
    person_id: UUID | None,
    message_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[BounceOut]:
    """Return a page of what came back, the newest first."""
    statement = select(bounce).order_by(bounce.c.id.desc()).limit(limit)
    for column, wanted in (
        (bounce.c.category, category.value if category else None),
        (bounce.c.person_id, person_id),
        (bounce.c.message_id, message_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if after:
        statement = statement.where(bounce.c.id < after)
    return [
        BounceOut.model_validate(row, from_attributes=True) for row in await tx.execute(statement)
    ]


async def count_reputation(tx: ReadTx) -> int:
    """Return how often, within a day, messages came back because of our reputation."""
    return int(
        await tx.scalar(
            select(func.count()).where(
                bounce.c.category == Category.POLICY.value,
                bounce.c.recorded_at > tx.clock.now() - REPUTATION_WINDOW,
                bounce.c.undone_at.is_(None),
            )
        )
        or 0
    )
