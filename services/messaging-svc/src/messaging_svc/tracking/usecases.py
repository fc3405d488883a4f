"""Keep evidence of clicks and openings; take people's no where the sending happens."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.values import Channel, Purpose
from kantis_kit.db.aliases import resolve
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash, normalise
from messaging_svc.aliases import person_alias
from messaging_svc.dispatch.model import State, dispatch
from messaging_svc.links import Unsubscribe
from messaging_svc.register.model import permission_card, person_card
from messaging_svc.tracking import events, queries
from messaging_svc.tracking.answers import Noes
from messaging_svc.tracking.errors import SuppressionNotFound
from messaging_svc.tracking.model import (
    Kept,
    Mail,
    Visitor,
    engagement,
    refusal,
    suppression,
    withdrawal,
)
from messaging_svc.tracking.verdicts import Evidence, ip_prefix, judge

ALL_PURPOSES = ""
PREFERENCE_PAGE = "preference_page"
_MAX_AGENT = 300
_WIRE_LOOKS = 250
_WIRE_PAUSE_SECONDS = 0.01


async def follow_link(tx: Tx, message_id: UUID, position: int, visitor: Visitor) -> str | None:
    """Record a click and return where the link leads; None when message or link is gone."""
    message = await queries.find_message(tx, message_id)
    if message is None:
        return None
    target = await queries.find_target(tx, message, position)
    if target is None:
        return None
    await record_click(tx, message, position, visitor)
    return target


async def record_click(tx: Tx, message: Mail, position: int, visitor: Visitor) -> None:
    """Record that a link of a message was followed."""
    burst = await queries.count_burst(tx, message.id, position, tx.clock.now())
    await _record(tx, message, visitor, position=position, burst=burst)


async def record_opening(tx: Tx, message_id: UUID, visitor: Visitor) -> None:
    """Record that a message was shown; one that is gone is not."""
    message = await queries.find_message(tx, message_id)
    if message is not None:
        await _record(tx, message, visitor, position=None, burst=1)


async def _record(
    tx: Tx, message: Mail, visitor: Visitor, *, position: int | None, burst: int
) -> None:
    kept = engagement_of(message, visitor, position=position, burst=burst, at=tx.clock.now())
    await tx.execute(insert(engagement).values(kept._asdict()))
    if message.origin != "test":
        tx.stage(events.engaged([(kept, message)], kept.kind))


def engagement_of(
    message: Mail, visitor: Visitor, *, position: int | None, burst: int, at: datetime
) -> Kept:
    """Return what is kept of a click (with the position of its link) or an opening: evidence and verdict."""
    delay = None if message.accepted_at is None else (at - message.accepted_at).total_seconds()
    verdict, because = judge(Evidence(visitor.method, visitor.user_agent, delay, burst))
    return Kept(
        id=new_id(),
        kind="open" if position is None else "click",
        message_id=message.id,
        link=position,
        method=visitor.method,
        ip_prefix=ip_prefix(visitor.address),
        user_agent=visitor.user_agent.replace("\x00", "")[:_MAX_AGENT],
        delay_ms=None if delay is None else int(delay * 1000),
        verdict=verdict.value,
        because=because,
        seen_at=at,
    )


async def withdraw(tx: Tx, link: Unsubscribe, *, source: str, every_purpose: bool = False) -> None:
    """Take a person's no. Once this is committed, no marketing of the purpose is handed over to them.

    Idempotent: a no that is in force already changes nothing. A message that is on the wire right now is waited for,
    so that none begins after the person has been answered.
    """
    if link.person_id is None:
        return  # a test message: there is nobody to withdraw
    purpose = ALL_PURPOSES if every_purpose else link.purpose.value
    known_id = await _lock(tx, link.person_id)
    message = await queries.find_message(tx, link.message_id)
    channel = message.channel if message else Channel.EMAIL
    if await _is_in_force(tx, link.person_id, channel, {purpose, ALL_PURPOSES}, link.purpose):
        return
    now = tx.clock.now()
    statement = insert(withdrawal).values(
        person_id=link.person_id,
        channel=channel.value,
        purpose=purpose,
        id=new_id(),
        source=source,
        message_id=message.id if message else None,
        withdrawn_at=now,
    )
    stored = await tx.scalar(
        statement.on_conflict_do_update(
            index_elements=["person_id", "channel", "purpose"],
            set_={
                name: statement.excluded[name]
                for name in ("id", "source", "message_id", "withdrawn_at")
            },
        ).returning(withdrawal.c.id)
    )
    tx.stage(
        events.permission_withdrawn(
            stored,
            link.person_id,
            None if every_purpose else link.purpose,
            channel=channel,
            source=source,
            message=message,
            at=now,
        )
    )
    await _wait_for_wire(tx, known_id)


async def _lock(tx: Tx, person_id: UUID) -> UUID:
    """Come before or after every hand-over to a person; return the id under which messages go to them.

    Senders hold the same rows while they mark a hand-over: theirs is either committed before, or sees our no. A link
    outlives a merge: a no is kept under the id that the link names, and holds for whoever that leads to.
    """
    leads = await resolve(tx, person_alias, [person_id])
    known_id = leads.get(person_id, person_id)
    await tx.execute(
        select(person_card.c.person_id)
        .where(person_card.c.person_id.in_({person_id, known_id}))
        .order_by(person_card.c.person_id)
        .with_for_update()
    )
    return known_id


async def take_noes(tx: Tx, person_id: UUID, noes: Noes) -> None:
    """Take what a person said no to on their preference page. Once this is committed, nothing of it is handed over.

    A box that was not ticked when it was shown, and that we have no yes for, says nothing new. The yeses, and the rest
    of the wishes, are for contacts-svc.
    """
    known_id = await _lock(tx, person_id)
    said: list[tuple[Channel, Purpose | None]] = (
        [(channel, None) for channel in Channel]
        if noes.everything
        else [
            (channel, purpose)
            for (channel, purpose), was_ticked in noes.boxes.items()
            if was_ticked or await queries.has_yes(tx, person_id, channel, purpose)
        ]
    )
    await _keep_noes(tx, person_id, said, source=PREFERENCE_PAGE)
    await _refuse(tx, person_id, noes)
    await _wait_for_wire(tx, known_id)


async def stop_channel(tx: Tx, person_id: UUID, channel: Channel, *, source: str) -> None:
    """Take a person's no to everything that advertises in a channel, said outside any page of ours.

    Once this is committed, nothing of it is handed over to them.
    """
    known_id = await _lock(tx, person_id)
    await _keep_noes(tx, person_id, [(channel, None)], source=source)
    await _wait_for_wire(tx, known_id)


async def _keep_noes(
    tx: Tx, person_id: UUID, said: Sequence[tuple[Channel, Purpose | None]], *, source: str
) -> None:
    if not said:
        return
    now = tx.clock.now()
    told = [(new_id(), channel, purpose) for channel, purpose in said]
    new = insert(withdrawal).values(
        [
            {
                "person_id": person_id,
                "channel": channel.value,
                "purpose": purpose.value if purpose else ALL_PURPOSES,
                "id": id_,
                "source": source,
                "withdrawn_at": now,
            }
            for id_, channel, purpose in told
        ]
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_id", "channel", "purpose"],
            set_={name: new.excluded[name] for name in ("id", "source", "withdrawn_at")}
            | {"message_id": None},
        )
    )
    tx.stage(events.permissions_withdrawn(person_id, told, source=source, at=now))


async def _refuse(tx: Tx, person_id: UUID, noes: Noes) -> None:
    now = tx.clock.now()
    refused = [(new_id(), topic, None) for topic in noes.topics]
    until = now + timedelta(days=noes.pause_days) if noes.pause_days else None
    told = [*refused, *([(new_id(), "", until)] if until else [])]
    if not told:
        return
    new = insert(refusal).values(
        [
            {
                "person_id": person_id, "topic": topic, "id": id_, "paused_until": paused, "stated_at": now,
            }
            for id_, topic, paused in told
        ]
    )  # fmt: skip
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_id", "topic"],
            set_={name: new.excluded[name] for name in ("id", "paused_until", "stated_at")},
        )
    )
    tx.stage(events.wishes_stated(person_id, told, at=now))


async def _is_in_force(
    tx: Tx, person_id: UUID, channel: Channel, purposes: Collection[str], purpose: Purpose
) -> bool:
    """Say whether an earlier no of this kind is younger than the last yes."""
    said = await tx.scalar(
        select(func.max(withdrawal.c.withdrawn_at)).where(
            withdrawal.c.person_id == person_id,
            withdrawal.c.channel == channel.value,
            withdrawal.c.purpose.in_(purposes),
        )
    )
    if said is None:
        return False
    yes = select(func.max(permission_card.c.occurred_at)).where(
        permission_card.c.person_id == person_id,
        permission_card.c.channel == channel.value,
        permission_card.c.state == "granted",
    )
    if ALL_PURPOSES not in purposes or len(purposes) > 1:
        yes = yes.where(permission_card.c.purpose == purpose.value)
    granted = await tx.scalar(yes)
    return granted is None or granted <= said


async def _wait_for_wire(tx: Tx, person_id: UUID) -> None:
    """Wait until no message to the person is between its hand-over and its outcome; two and a half seconds at most.

    A message begins within two seconds of its hand-over or not at all: what is still open then had begun long before.
    """
    on_the_wire = select(dispatch.c.id).where(
        dispatch.c.person_id == person_id,
        dispatch.c.is_marketing,
        dispatch.c.state == State.HANDED_OVER.value,
    )
    for _ in range(_WIRE_LOOKS):
        if (await tx.scalars(on_the_wire.limit(1))).first() is None:
            return
        await asyncio.sleep(_WIRE_PAUSE_SECONDS)


async def suppress(tx: Tx, emails: Sequence[str], reason: str, note: str) -> int:
    """Never send marketing to these addresses again; return how many were not on the list.

    Only hashes are kept. Transactional mail is not affected.
    """
    hashes = {address_hash(email) for email in emails if normalise(email)}
    count = await suppress_hashes(tx, hashes, reason, note)
    tx.audit("suppressions.add", reason, added=count)
    return count


async def suppress_hashes(tx: Tx, hashes: Collection[bytes], reason: str, note: str) -> int:
    """Never send marketing to addresses or numbers again of which the hashes are known; return how many were new."""
    now, ordered = tx.clock.now(), sorted(hashes)
    if not ordered:
        return 0
    # As for a withdrawal: a sender that is marking a hand-over to one of these persons comes before or after us.
    await tx.execute(
        select(person_card.c.person_id)
        .where(or_(person_card.c.email_hash.in_(ordered), person_card.c.phone_hash.in_(ordered)))
        .order_by(person_card.c.person_id)
        .with_for_update()
    )
    added = await tx.scalars(
        insert(suppression)
        .values(
            [
                {
                    "address_hash": one, "id": new_id(), "reason": reason, "note": note, "added_by": tx.actor,
                    "added_at": now,
                }
                for one in ordered
            ]
        )
        .on_conflict_do_nothing()
        .returning(suppression.c.id)
    )  # fmt: skip
    return len(list(added))


async def lift_suppression(tx: Tx, suppression_id: UUID) -> None:
    """Take an address off the list.

    Raises:
        SuppressionNotFound: it is not on it.
    """
    removed = await tx.scalar(
        delete(suppression).where(suppression.c.id == suppression_id).returning(suppression.c.id)
    )
    if removed is None:
        raise SuppressionNotFound("No entry of the suppression list has this id")
