"""How people want to be written to, and the topics they may choose from."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.people import queries as people
from contacts_svc.permissions.model import Preference, Topic
from contacts_svc.permissions.schemas import TopicIn, WishesIn
from contacts_svc.touched import Family, touch
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
    """Keep how a person wants to be written to, in place of what they wanted before. Raises `ContactUnknown`."""
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
    await touch(tx, [person_id], Family.PERMISSION)


async def forget_wishes(tx: Tx, person_id: UUID) -> None:
    """Forget how a person wanted to be written to."""
    await tx.execute(delete(table_of(Preference)).where(col(Preference.person_id) == person_id))
