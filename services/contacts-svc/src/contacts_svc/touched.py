"""Whose facts have changed: what is derived from facts is kept up to date from here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag, auto
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Identity,
    Index,
    Integer,
    Uuid,
    column,
    delete,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field

from contacts_svc.base import Base, Moment, plain, table_of
from kantis_kit.db.sets import column_set
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
    QUALITY = auto()


class Follower(IntFlag):
    """Who follows: each takes every row once; add a name here to follow, too."""

    SEGMENTS = auto()
    DUPLICATES = auto()


_EVERYBODY = Follower(sum(Follower))


def untaken(followed: ColumnElement[int], follower: Follower) -> ColumnElement[bool]:
    """Return what holds for rows that a follower has not taken yet, in the words of the index over them."""
    return followed.op("&")(literal_column(str(int(follower)))) == literal_column("0")


class TouchedPerson(Base, table=True):
    """A person of whom facts have changed, until everything derived has followed."""

    __tablename__ = "touched_person"
    __table_args__ = tuple(
        Index(
            f"ix_touched_person_{str(follower.name).lower()}",
            "id",
            postgresql_where=untaken(column("followed", Integer()), follower),
        )
        for follower in Follower
    )

    id: int | None = Field(
        default=None, sa_type=BigInteger, primary_key=True, sa_column_args=(Identity(always=True),)
    )
    person_id: UUID
    families: int
    at: datetime = Field(sa_type=Moment)
    followed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The followers that have taken this row; it goes with the last one."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Facts of these families have changed for this person."""

    person_id: UUID
    families: Family
    at: datetime


async def touch(tx: Tx, person_ids: Iterable[UUID], families: Family) -> None:
    """Say that facts of these families have changed for these persons."""
    chosen = sorted(set(person_ids))
    if not chosen:
        return
    rows = column_set("touched", {"person_id": (Uuid(), chosen)})
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


async def take_touched(
    tx: Tx, follower: Follower, *, limit: int, newest: bool = False
) -> list[Touched]:
    """Take the oldest rows that this follower has not taken yet; they are taken when the transaction commits.

    What is touched while the follower works comes with a later row. A person may come more than once. The `newest`
    may be taken before the others, so that they do not wait behind very many.
    """
    table = table_of(TouchedPerson)
    rows = plain(
        await tx.execute(
            select(table.c.id, table.c.person_id, table.c.families, table.c.at, table.c.followed)
            .where(untaken(table.c.followed, follower))
            .order_by(table.c.id.desc() if newest else table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    done = [row[0] for row in rows if Follower(row[4]) | follower == _EVERYBODY]
    if done:
        gone = column_set("done", {"id": (BigInteger(), done)})
        await tx.execute(delete(table).where(table.c.id.in_(select(gone.c.id))))
    if len(done) < len(rows):
        rest = column_set("rest", {"id": (BigInteger(), [row[0] for row in rows])})
        await tx.execute(
            update(table)
            .where(table.c.id.in_(select(rest.c.id)))
            .values(followed=table.c.followed.op("|")(int(follower)))
        )
    return [Touched(row[1], Family(row[2]), row[3]) for row in rows]
