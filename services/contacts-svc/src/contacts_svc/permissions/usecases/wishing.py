"""How people want to be written to, and the topics they may choose from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.facts.queries import living
from contacts_svc.people import queries as people
from contacts_svc.permissions import events
from contacts_svc.permissions.model import Preference, Topic
from contacts_svc.permissions.schemas import TopicIn, WishesIn
from contacts_svc.touched import Family, touch
from kantis_contracts.messaging import Wish
from kantis_kit.tx import Tx


async def set_topic(tx: Tx, key: str, body: TopicIn) -> None:
    """Make a topic or change it; what people have said of it stays."""
    table = table_of(Topic)
    new = insert(table).values(
        key=key,
        purpose=body.purpose.value,
        names={language.value: name for language, name in body.names.items()},
        position=body.position,
        is_open=body.is_open,
        version=1,
    )
    kept = ("purpose", "names", "position", "is_open")
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["key"],
            set_={"version": table.c.version + 1, **{name: new.excluded[name] for name in kept}},
        )
    )


async def set_wishes(tx: Tx, person_id: UUID, body: WishesIn) -> None:
    """Keep how a person wants to be written to, in place of what they wanted before. Raises `ContactUnknown`.

    Where messages are sent it holds when the event arrives; what a person says on their own page is held there first.
    """
    await people.get_for_update(tx, person_id)
    table = table_of(Preference)
    new = insert(table).values(
        person_id=person_id,
        channels=[channel.value for channel in body.channels],
        topics=body.topics,
        hour_from=body.hour_from,
        hour_to=body.hour_to,
        days=body.days,
        per_month=body.per_month,
        paused_until=body.paused_until,
        version=1,
        updated_at=tx.clock.now(),
    )
    kept = (
        "channels",
        "topics",
        "hour_from",
        "hour_to",
        "days",
        "per_month",
        "paused_until",
        "updated_at",
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_id"],
            set_={"version": table.c.version + 1, **{name: new.excluded[name] for name in kept}},
        )
    )
    await announce_wishes(tx, [person_id])
    await touch(tx, [person_id], Family.PERMISSION)


async def announce_wishes(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Tell others how these persons want to be written to; for whoever changes `Preference` otherwise than here."""
    chosen = sorted(set(person_ids))
    rows = await tx.scalars(
        select(Preference)
        .where(col(Preference.person_id) == people.any_of(chosen))
        .order_by(col(Preference.person_id))
        .execution_options(populate_existing=True)
    )
    tx.stage(events.preferences_changed(list(rows)))


async def take_stated(tx: Tx, wishes: Sequence[Wish]) -> None:
    """Keep what people have refused where messages are sent: topics, and everything for a while; in any order.

    What the person has said here since stands. The page on which they said it brings the same by itself; this is for
    the case that it never came.
    """
    known = await living(tx, [one.person_id for one in wishes])
    mine: dict[UUID, list[Wish]] = {}
    for one in sorted(wishes, key=lambda one: (one.stated_at, one.wish_id)):
        if one.person_id in known:
            mine.setdefault(known[one.person_id], []).append(one)
    for person_id in sorted(mine):
        await people.get_for_update(tx, person_id)
        row = await tx.get(Preference, person_id)
        said = _after(row, mine[person_id])
        if said is not None:
            await set_wishes(tx, person_id, said)


def _after(row: Preference | None, wishes: Sequence[Wish]) -> WishesIn | None:
    """Return the wishes with what was refused after they were kept; None when nothing was."""
    kept: Mapping[str, Any] = (
        {} if row is None else row.model_dump(include=set(WishesIn.model_fields))
    )
    topics: dict[str, bool] = dict(kept.get("topics", {}))
    paused: datetime | None = kept.get("paused_until")
    new = [one for one in wishes if row is None or row.updated_at < one.stated_at]
    for one in new:
        if one.topic:
            topics[one.topic] = False
        else:
            paused = one.paused_until
    if not new:
        return None
    return WishesIn.model_validate({**kept, "topics": topics, "paused_until": paused})


async def forget_wishes(tx: Tx, person_id: UUID) -> None:
    """Forget how a person wanted to be written to."""
    await tx.execute(delete(table_of(Preference)).where(col(Preference.person_id) == person_id))
