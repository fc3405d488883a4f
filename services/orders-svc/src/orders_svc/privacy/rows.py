"""Rows of files that made no response: nobody's id stands in them, but codes and numbers by which a person is found."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import phonenumbers
from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from kantis_kit.db.sets import column_set, one_of
from kantis_kit.gathering import Rows, rows_of
from kantis_kit.tx import ReadTx, Tx
from orders_svc.base import Base
from orders_svc.response_files.model import ReviewState

FORGOTTEN = "who it was of has asked to be forgotten"
_BY = "privacy"
_SHORTEST = 6
"""Shorter words stand in many a row by chance."""


@dataclass(frozen=True, slots=True)
class Traces:
    """By what rows of these persons are found."""

    ids: Sequence[UUID]
    words: Sequence[str]
    """Codes of their pieces, and their telephone numbers without the country's, in capitals without blanks."""

    def named_in(self, *texts: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that a word stands in one of the texts, however it is spelt."""
        word = column_set("word", {"plain": (Text(), self.words)})
        spelt = [func.regexp_replace(func.upper(text), "[^A-Z0-9]", "", "g") for text in texts]
        return (
            select(literal(1))
            .select_from(word)
            .where(or_(*(func.strpos(text, word.c.plain) > 0 for text in spelt)))
            .exists()
        )

    def rejects(self) -> ColumnElement[bool]:
        """Return which rows that came back are of these persons."""
        reject = _table("response_reject")
        return self.named_in(reject.c.line, reject.c.reason)

    def reviews(self) -> ColumnElement[bool]:
        """Return which rows in review, or decided on, are of these persons."""
        review, response = _table("response_review"), _table("response")
        theirs = select(response.c.response_id).where(
            response.c.person_id == one_of(self.ids, Uuid())
        )
        return or_(
            self.named_in(cast(review.c.read, Text), review.c.reason),
            review.c.response_id.in_(theirs),
        )


async def traces_of(tx: ReadTx, ids: Collection[UUID]) -> Traces:
    """Return by what rows of persons are found, as long as their cards say it.

    A number that somebody else has, too, is nobody's alone: rows of it stay for the other.
    """
    person, code = _table("person"), _table("code")
    chosen = one_of(sorted(ids), Uuid())
    other = person.alias()
    shared = (
        select(other.c.person_id)
        .where(other.c.phone == person.c.phone, ~(other.c.person_id == chosen))
        .exists()
    )
    codes = await tx.scalars(select(code.c.response_code).where(code.c.person_id == chosen))
    phones = await tx.scalars(
        select(person.c.phone).where(person.c.person_id == chosen, person.c.phone != "", ~shared)
    )
    words = [*codes, *(_national(phone) for phone in phones)]
    return Traces(sorted(ids), sorted({word for word in words if len(word) >= _SHORTEST}))


async def empty_rows(tx: Tx, ids: Collection[UUID]) -> None:
    """Empty rows that came back or wait for a decision and name these persons; that they came stays, for the figures.

    Called while their cards still say which numbers they have.
    """
    traces = await traces_of(tx, ids)
    reject, review = _table("response_reject"), _table("response_review")
    is_waiting = review.c.state == ReviewState.WAITING.value
    await tx.execute(
        update(reject)
        .where(traces.rejects(), reject.c.line != "")
        .values(line="", reason=FORGOTTEN)
    )
    await tx.execute(
        update(review)
        .where(traces.reviews(), review.c.reason != FORGOTTEN)
        .values(
            read=literal({}, JSONB()),
            doubts=literal({}, JSONB()),
            note="",
            reason=FORGOTTEN,
            # What is left of it nobody could decide on.
            state=case((is_waiting, ReviewState.DROPPED.value), else_=review.c.state),
            decided_by=case((is_waiting, _BY), else_=review.c.decided_by),
            decided_at=func.coalesce(review.c.decided_at, tx.clock.now()),
        )
    )
    await _leave_others(tx, review, traces)


async def _leave_others(tx: Tx, review: Table, traces: Traces) -> None:
    """Take these persons out of those whose row it may be; the others may still be meant."""
    names = literal([str(one) for one in traces.ids], ARRAY(String))
    callers = review.c.doubts["phone"]
    await tx.execute(
        update(review)
        .where(
            and_(
                func.jsonb_typeof(callers) == "array",
                func.jsonb_exists_any(callers, names),
            )
        )
        .values(
            doubts=func.jsonb_set(
                review.c.doubts, cast(["phone"], ARRAY(Text)), callers.op("-")(names)
            )
        )
    )


async def gather_rows(tx: ReadTx, ids: Collection[UUID]) -> dict[str, Rows]:
    """Return the rows of files that name these persons and made no response."""
    traces = await traces_of(tx, ids)
    return {
        "response_reject": await rows_of(tx, _table("response_reject"), traces.rejects()),
        "response_review": await rows_of(tx, _table("response_review"), traces.reviews()),
    }


def _national(phone: str) -> str:
    """Return a number as it stands in rows with and without the country's."""
    return str(phonenumbers.parse(phone).national_number)


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


__all__ = ["empty_rows", "gather_rows"]
