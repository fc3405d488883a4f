"""Lists that people are put on one by one; a segment of kind `list` shows one."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field

from contacts_svc.base import Base, Moment, table_of
from contacts_svc.touched import Family, touch
from kantis_kit.db.sets import column_set
from kantis_kit.tx import Tx


class ListMember(Base, table=True):
    """A person on a list, and what put them there."""

    __tablename__ = "list_member"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, index=True)
    source: str
    added_at: datetime = Field(sa_type=Moment)


async def add_to_list(tx: Tx, segment_id: UUID, person_ids: Iterable[UUID], *, source: str) -> int:
    """Put these persons on a list; return how many were not on it before."""
    chosen = sorted(set(person_ids))
    if not chosen:
        return 0
    rows = column_set("listed", {"person_id": (Uuid(), chosen)})
    table = table_of(ListMember)
    new = await tx.execute(
        insert(table)
        .from_select(
            ["segment_id", "person_id", "source", "added_at"],
            select(
                literal(segment_id, Uuid()),
                rows.c.person_id,
                literal(source, Text()),
                literal(tx.clock.now(), Moment),
            ),
        )
        .on_conflict_do_nothing()
        .returning(table.c.person_id)
    )
    added = list(new.scalars())
    await touch(tx, added, Family.LIST)
    return len(added)
