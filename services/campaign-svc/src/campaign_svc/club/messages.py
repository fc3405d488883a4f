"""What the club says to its members, and when: welcome, a tier is reached, points expire soon. Each is said once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.actions.model import Asker, Target, step_id
from campaign_svc.actions.schemas import ACTION, AskerKind, why_not_class
from campaign_svc.actions.usecases import act, check_action
from campaign_svc.club import queries, sql
from campaign_svc.club.errors import ClassNotAllowed, NothingChosen
from campaign_svc.club.model import ClubMessage, Member
from campaign_svc.club.schemas import CLASSES, ClubMessageIn, Occasion
from kantis_kit.tx import ReadTx, Tx

_IDS: Mapping[Occasion, UUID] = {
    Occasion.WELCOME: UUID("6f1c2a3e-0b7d-5e51-9a57-3c5d1f0a1c01"),
    Occasion.TIER_REACHED: UUID("6f1c2a3e-0b7d-5e51-9a57-3c5d1f0a1c02"),
    Occasion.POINTS_EXPIRING: UUID("6f1c2a3e-0b7d-5e51-9a57-3c5d1f0a1c03"),
}
"""What was done on an occasion is found under this id, whatever is chosen for it later."""
_BATCH = 1_000


async def choose(tx: Tx, occasion: Occasion, body: ClubMessageIn) -> ClubMessage:
    """Say what is done on an occasion, from now on.

    Raises:
        ClassNotAllowed: the occasion is no reason for a message of this class.
        ActionNotAvailable: the programme or the series of coupons that it names is not there.
        TemplateSells: it needs no permission by its class, and its template is written to sell.
    """
    problem = why_not_class(body.action, CLASSES[occasion], f"the occasion {occasion.value}")
    if problem:
        raise ClassNotAllowed(f"action.{problem}")
    await check_action(tx, body.action)
    now = tx.clock.now()
    held: ClubMessage | None = await tx.scalar(
        select(ClubMessage).where(col(ClubMessage.occasion) == occasion.value).with_for_update()
    )
    chosen = held or ClubMessage(
        occasion=occasion.value, version=0, action={}, days_before=0, looked_until=now, changed_by="", changed_at=now
    )  # fmt: skip
    chosen.version += 1
    chosen.action, chosen.days_before = body.action.model_dump(mode="json"), body.days_before
    chosen.changed_by, chosen.changed_at = tx.actor, now
    tx.add(chosen)
    tx.audit("club.message", occasion.value, version=chosen.version)
    return chosen


async def list_chosen(tx: ReadTx) -> list[ClubMessage]:
    """Return what is done on which occasion."""
    return list(await tx.scalars(select(ClubMessage).order_by(col(ClubMessage.occasion))))


async def choose_nothing(tx: Tx, occasion: Occasion) -> None:
    """Do nothing more on an occasion. Raises `NothingChosen`."""
    chosen = await tx.get(ClubMessage, occasion.value)
    if chosen is None:
        raise NothingChosen(f"Nothing is done on {occasion.value}")
    await tx.delete(chosen)
    tx.audit("club.message", occasion.value, version=0)


async def welcome(tx: Tx, member: Member) -> None:
    """Do to a new member what was chosen for a welcome."""
    facts = {"member_number": member.number}
    await _say(tx, Occasion.WELCOME, [(member.person_id, member.number, facts)])


async def tell_tiers(tx: Tx, entries: Sequence[UUID]) -> None:
    """Tell members of a tier that they have reached by these new entries of the ledger."""
    if await tx.get(ClubMessage, Occasion.TIER_REACHED.value) is None:
        return
    now = tx.clock.now()
    rules = await queries.find_rules(tx)
    rows = await tx.execute(sql.RISEN, {"entries": list(entries), "now": now})
    told = []
    for row in rows:
        before = queries.tiers_reached(rules, int(row.year_points - row.fresh))
        after = queries.tiers_reached(rules, int(row.year_points))
        if len(after) > len(before):
            facts = {
                "member_number": row.number, "tier": after[-1].name, "points": str(row.balance),
            }  # fmt: skip
            told.append((row.person_id, f"{after[-1].key}|{now.year}", facts))
    await _say(tx, Occasion.TIER_REACHED, told)


async def tell_expiring(tx: Tx) -> None:
    """Tell members what will expire until the end of the month that lies as far ahead as was chosen."""
    chosen: ClubMessage | None = await tx.scalar(
        select(ClubMessage)
        .where(col(ClubMessage.occasion) == Occasion.POINTS_EXPIRING.value)
        .with_for_update()
    )
    if chosen is None:
        return
    now = tx.clock.now()
    until = now + timedelta(days=chosen.days_before)
    since, chosen.looked_until = max(chosen.looked_until, now), until
    end = _month_after(until)
    people = sorted(await tx.scalars(sql.SOON, {"since": since, "until": until}))
    for start in range(0, len(people), _BATCH):
        given = {"people": people[start : start + _BATCH], "now": end}
        rows = await tx.execute(sql.EXPIRED, given)
        points = {row.person_id: int(row.points) for row in rows}
        members = await tx.execute(sql.NUMBERS, {"people": sorted(points)})
        told = [
            (
                row.person_id,
                f"{until:%Y-%m}",
                {
                    "member_number": row.number,
                    "points": str(points[row.person_id]),
                    "until": f"{end:%Y-%m-%d}",
                },
            )
            for row in members
        ]
        await _say(tx, Occasion.POINTS_EXPIRING, told)


def _month_after(moment: datetime) -> datetime:
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


async def _say(
    tx: Tx, occasion: Occasion, told: Sequence[tuple[UUID, str, Mapping[str, Any]]]
) -> None:
    """Do what was chosen, to each of these people once on each occasion."""
    chosen = await tx.get(ClubMessage, occasion.value) if told else None
    if chosen is None:
        return
    asker = Asker(
        AskerKind.CLUB, _IDS[occasion], f"Club: {occasion.value}", chosen.version, occasion.value
    )
    targets = [
        Target(person_id, step_id(asker, person_id, key), (occasion.value,), facts)
        for person_id, key, facts in told
    ]
    await act(tx, asker, ACTION.validate_python(chosen.action), targets)
