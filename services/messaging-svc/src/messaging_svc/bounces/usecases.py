"""Take what came back: keep the evidence, and let it have the effect that its category has, once."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.messaging import AddressOutcome
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash, phone_hash
from messaging_svc.bounces import events, queries
from messaging_svc.bounces.errors import BounceNotFound, BounceUndone
from messaging_svc.bounces.model import SOFT, Category, Incident, bounce
from messaging_svc.bounces.queries import Sent
from messaging_svc.holds import spikes
from messaging_svc.holds.schemas import Kind
from messaging_svc.tracking import usecases as tracking
from messaging_svc.tracking.model import suppression

_LONGEST_TEXT = 500
_LONGEST_EVIDENCE = 16_384
_PAGE = 1_000
_OUTCOMES = {Category.BAD_ADDRESS: AddressOutcome.HARD_BOUNCE} | dict.fromkeys(
    SOFT, AddressOutcome.SOFT_BOUNCE
)
_SIGNALS = {Category.COMPLAINT: Kind.COMPLAINT} | dict.fromkeys(
    (Category.BAD_ADDRESS, Category.POLICY, Category.CONTENT), Kind.BOUNCE
)
"""What speaks against the launch that a message belongs to; a passing trouble or an absence does not."""


async def take(tx: Tx, incidents: Sequence[Incident]) -> list[Category]:
    """Keep incidents that are new, and act on them; return their categories.

    An address is suppressed for good when it does not exist, for a while when messages come back too often. What is
    about our reputation or the content harms nobody. An incident whose message is not known is kept and changes nothing.
    """
    sent = await queries.find_sent(tx, {one.message_id for one in incidents if one.message_id})
    new = await _keep(tx, incidents, sent)
    # In the order of the addresses: two deliveries that concern the same ones do not wait for each other in a circle.
    known = [(id_, one, sent[one.message_id]) for id_, one in new if one.message_id in sent]
    gone = {
        h
        for _, one, m in known
        if one.verdict.category is Category.BAD_ADDRESS and (h := _hash(one, m))
    }
    complained = {
        h
        for _, one, m in known
        if one.verdict.category is Category.COMPLAINT and (h := _hash(one, m))
    }
    for hashes, reason in ((gone, "hard_bounce"), (complained, "complaint")):
        if hashes:
            await tracking.suppress_hashes(tx, hashes, reason, note="")
    for person_id, channel in sorted(
        {
            (m.person_id, m.channel)
            for _, one, m in known
            if m.person_id and one.verdict.category is Category.COMPLAINT
        }
    ):
        await tracking.stop_channel(tx, person_id, Channel(channel), source="complaint")
    await weigh(
        tx, {h for _, one, m in known if one.verdict.category in SOFT and (h := _hash(one, m))}
    )
    tx.stage(
        events.addresses_reported(
            (id_, m.person_id, m.id, m.channel, _OUTCOMES[one.verdict.category], one.occurred_at)
            for id_, one, m in known
            if m.person_id and m.is_current and one.verdict.category in _OUTCOMES
        )
    )
    await _count_against_launches(tx, [(one, m) for _, one, m in known])
    return [one.verdict.category for _, one in new]


async def _count_against_launches(tx: Tx, told: Sequence[tuple[Incident, Sent]]) -> None:
    """Count bounces and complaints by the moment when they happened: old news that come late make no spike."""
    now = tx.clock.now()
    for kind in Kind:
        signals = [
            (message.id, min(one.occurred_at, now))
            for one, message in told
            if _SIGNALS.get(one.verdict.category) is kind
        ]
        if signals:
            await spikes.count_signals(tx, kind, signals)


def _hash(one: Incident, message: Sent) -> bytes | None:
    """Return the address concerned: the message's; where the person has another one since, the one that was named."""
    if message.is_current or not one.address:
        return message.address_hash if message.is_current else None
    return _hash_of(message.channel, one.address)


def _hash_of(channel: str, address: str) -> bytes:
    return phone_hash(address) if channel == Channel.SMS.value else address_hash(address)


async def _keep(
    tx: Tx, incidents: Sequence[Incident], sent: dict[UUID, Sent]
) -> list[tuple[UUID, Incident]]:
    """Write the evidence; return what was not known."""
    now = tx.clock.now()
    rows = {}
    for one in sorted(incidents, key=lambda one: (one.source, one.external_id)):
        message = sent.get(one.message_id) if one.message_id else None
        hashed = _hash(one, message) if message else None
        if hashed is None and one.address:
            hashed = _hash_of(one.channel, one.address)
        rows[one.source, one.external_id] = {
            "id": new_id(),
            "source": one.source,
            "external_id": one.external_id,
            "message_id": message.id if message else None,
            "person_id": message.person_id if message else None,
            "channel": one.channel,
            "address_hash": hashed,
            "category": one.verdict.category.value,
            "rule": one.verdict.rule,
            "status": one.status,
            "diagnostic": one.diagnostic[:_LONGEST_TEXT],
            "evidence": one.evidence[:_LONGEST_EVIDENCE],
            "occurred_at": min(one.occurred_at, now),
            "recorded_at": now,
            "undone_by": "",
            "undone_why": "",
        }
    if not rows:
        return []
    stored = await tx.execute(
        insert(bounce)
        .values(list(rows.values()))
        .on_conflict_do_nothing(index_elements=["source", "external_id"])
        .returning(bounce.c.id, bounce.c.source, bounce.c.external_id)
    )
    by_name = {(one.source, one.external_id): one for one in incidents}
    return [(row.id, by_name[row.source, row.external_id]) for row in stored]


async def take_reports(tx: Tx, incidents: Iterable[Incident]) -> None:
    """Take what a mail provider reports, in any order and any number of times: what arrived, and what did not."""
    told = list(incidents)
    delivered = [one for one in told if one.verdict.category is Category.DELIVERED]
    await take(tx, [one for one in told if one.verdict.category is not Category.DELIVERED])
    sent = await queries.find_sent(tx, {one.message_id for one in delivered if one.message_id})
    await arrived(
        tx, [(m.address_hash, m.channel, m.id) for m in sent.values() if m.address_hash is not None]
    )


async def arrived(tx: Tx, told: Sequence[tuple[bytes, str, UUID]]) -> None:
    """Learn that messages have arrived at addresses, each as (hash, channel, message): passing troubles are over.

    Kept only where there is something to wipe out.
    """
    now = tx.clock.now()
    if not told:
        return
    troubled = set(
        await tx.scalars(
            select(bounce.c.address_hash).where(
                bounce.c.address_hash.in_([one[0] for one in told]),
                bounce.c.category.in_([one.value for one in SOFT]),
                bounce.c.undone_at.is_(None),
            )
        )
    )
    rows = {
        one[2]: {
            "id": new_id(), "source": "report", "external_id": f"{one[2]}:delivered", "message_id": one[2],
            "channel": one[1], "address_hash": one[0], "category": Category.DELIVERED.value,
            "rule": "delivered", "status": "", "diagnostic": "", "evidence": "", "occurred_at": now,
            "recorded_at": now, "undone_by": "", "undone_why": "",
        }
        for one in told
        if one[0] in troubled
    }  # fmt: skip
    if rows:
        await tx.execute(insert(bounce).values(list(rows.values())).on_conflict_do_nothing())
        await weigh(tx, {one[0] for one in told if one[0] in troubled})


async def weigh(tx: Tx, hashes: Collection[bytes]) -> None:
    """Leave addresses alone at which messages come back too often, and no longer those that have recovered."""
    if not hashes:
        return
    worn = await queries.find_worn_out(tx, sorted(hashes), tx.clock.now())
    if worn:
        await tracking.suppress_hashes(tx, worn, "soft_bounces", note="")
    await tx.execute(
        delete(suppression).where(
            suppression.c.address_hash.in_(sorted(set(hashes) - worn)),
            suppression.c.reason == "soft_bounces",
        )
    )


async def decay(tx: Tx) -> None:
    """Look again at every address that is left alone for a while."""
    after = b""
    while hashes := await queries.list_paused(tx, after=after, limit=_PAGE):
        await weigh(tx, hashes)
        after = hashes[-1]


async def undo(tx: Tx, bounce_id: UUID, *, reason: str) -> None:
    """Take back what a bounce has done, because somebody knows better; its evidence stays, marked.

    A withdrawal that a complaint has brought stays: only a new yes of the person ends it.

    Raises:
        BounceNotFound: there is no such bounce.
        BounceUndone: it was taken back before.
    """
    found = (
        await tx.execute(select(bounce).where(bounce.c.id == bounce_id).with_for_update())
    ).first()
    if found is None:
        raise BounceNotFound("No bounce has this id")
    if found.undone_at is not None:
        raise BounceUndone(f"By {found.undone_by}")
    await tx.execute(
        update(bounce)
        .where(bounce.c.id == bounce_id)
        .values(undone_at=tx.clock.now(), undone_by=tx.actor, undone_why=reason)
    )
    category = Category(found.category)
    if found.address_hash is not None:
        hashed = bytes(found.address_hash)
        lifted = {Category.BAD_ADDRESS: "hard_bounce", Category.COMPLAINT: "complaint"}.get(
            category
        )
        if lifted:
            same = select(bounce.c.id).where(
                bounce.c.address_hash == hashed,
                bounce.c.category == category.value,
                bounce.c.message_id.is_not(None),
                bounce.c.undone_at.is_(None),
            )
            await tx.execute(
                delete(suppression).where(
                    suppression.c.address_hash == hashed,
                    suppression.c.reason == lifted,
                    ~exists(same),
                )
            )
        await weigh(tx, {hashed})
    if found.person_id is not None and category in _OUTCOMES:
        tx.stage(
            events.addresses_reported(
                [(found.id, found.person_id, found.message_id, found.channel, _OUTCOMES[category], found.occurred_at)],
                is_undone=True,
            )
        )  # fmt: skip
    tx.audit("bounces.undo", str(bounce_id), reason=reason)
