"""Whose facts have changed: what is derived from facts is kept up to date from here."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntFlag, auto
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Integer, Uuid, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field

from contacts_svc.base import Base, Moment, row_set, table_of
from kantis_kit.tx import Tx


class Family(IntFlag):
    """Families of facts: what a condition reads is kept up to date when one of its families is touched."""

    PROFILE = auto()
    PERMISSION = auto()
    REACH = auto()
    LINK = auto()
    INSIGHT = auto()
    INTERACTION = auto()
    VISIT = auto()
    ORDER = auto()
    MESSAGE = auto()
    VALUE = auto()
    LIST = auto()
    FIELD = auto()


class TouchedPerson(Base, table=True):
    """A person of whom facts have changed, until everything derived has followed."""

    __tablename__ = "touched_person"

    id: int | None = Field(
        default=None, sa_type=BigInteger, primary_key=True, sa_column_args=(Identity(always=True),)
    )
    person_id: UUID
    families: int
    at: datetime = Field(sa_type=Moment)


async def touch(tx: Tx, person_ids: Iterable[UUID], families: Family) -> None:
    """Say that facts of these families have changed for these persons."""
    chosen = sorted(set(person_ids))
    if not chosen:
        return
    rows = row_set("touched", {"person_id": (Uuid(), chosen)})
    await tx.execute(
        insert(table_of(TouchedPerson)).from_select(
            ["person_id", "families", "at"],
            select(
                rows.c.person_id,
                literal(int(families), Integer()),
                literal(tx.clock.now(), Moment),
            ),
        )
    )
