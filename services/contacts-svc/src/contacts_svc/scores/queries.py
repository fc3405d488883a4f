"""Reads of data quality."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, union_all
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.facts.model import MessageFact, OrderFact, ResponseFact
from contacts_svc.interactions.model import Interaction
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.model import Person
from contacts_svc.people.queries import any_of, list_identifiers
from contacts_svc.scores.model import QualityScore
from contacts_svc.scores.rules import Held, Known, score
from contacts_svc.scores.schemas import QualityOut, SourceOut
from kantis_kit.tx import ReadTx

SCORE_AGE = timedelta(days=7)
"""How old a score may become: freshness falls without any change."""
MAX_SOURCES = 1_000
_PARTS = ("score", "completeness", "validity", "reachability", "freshness")


async def list_known(tx: ReadTx, person_ids: Iterable[UUID]) -> Mapping[UUID, tuple[Person, Known]]:
    """Return what is known of these; who is not there or erased is left out."""
    chosen = sorted(set(person_ids))
    people = (
        await tx.scalars(
            select(Person).where(col(Person.id) == any_of(chosen), ~col(Person.is_erased))
        )
    ).all()
    held = await list_identifiers(tx, chosen)
    signs = dict(plain(await tx.execute(_signs(chosen))))
    return {
        person.id: (
            person,
            Known(
                name=person.full_name or person.given_name or person.family_name,
                preferred_name=person.preferred_name,
                has_address=bool(person.street and person.postal_code and person.city),
                identifiers=[
                    Held(one.kind, one.validity, one.reachability, one.is_primary)
                    for one in held.get(person.id, ())
                ],
                seen_at=max(person.updated_at, signs.get(person.id, person.updated_at)),
            ),
        )
        for person in people
    }


def _signs(person_ids: list[UUID]) -> Select[Any]:
    """Select the last moment at which each of these did something."""
    doings = union_all(
        *(
            select(col(person_id).label("person_id"), func.max(col(at)).label("at"))
            .where(col(person_id) == any_of(person_ids))
            .group_by(col(person_id))
            for person_id, at in (
                (OrderFact.person_id, OrderFact.placed_at),
                (MessageFact.person_id, MessageFact.opened_at),
                (ResponseFact.person_id, ResponseFact.responded_at),
                (Interaction.person_id, Interaction.occurred_at),
            )
        )
    ).subquery("doing")
    wanted: Select[Any] = (
        select(doings.c.person_id, func.max(doings.c.at))
        .where(doings.c.at.is_not(None))
        .group_by(doings.c.person_id)
    )
    return wanted


async def get_quality(tx: ReadTx, person_id: UUID) -> QualityOut:
    """Return how good what is known of a contact is now. Raises `ContactUnknown`."""
    found = (await list_known(tx, [person_id])).get(person_id)
    if found is None:
        raise ContactUnknown("It was never there, or it was erased")
    person, known = found
    told = score(known, tx.clock.now())
    return QualityOut(
        person_id=person_id,
        score=told.score,
        completeness=told.completeness,
        validity=told.validity,
        reachability=told.reachability,
        freshness=told.freshness,
        findings=list(told.findings),
        source=person.source,
        last_sign_at=known.seen_at,
    )


async def list_sources(tx: ReadTx) -> list[SourceOut]:
    """Return how good the contacts of each source are, the largest source first."""
    rows = await tx.execute(
        select(
            col(QualityScore.source),
            func.count(),
            func.min(col(QualityScore.scored_at)),
            *(func.round(func.avg(col(getattr(QualityScore, name)))) for name in _PARTS),
        )
        .group_by(col(QualityScore.source))
        .order_by(func.count().desc(), col(QualityScore.source))
        .limit(MAX_SOURCES)
    )
    return [
        SourceOut(
            source=source,
            people=people,
            oldest_at=oldest,
            **{name: int(value) for name, value in zip(_PARTS, parts, strict=True)},
        )
        for source, people, oldest, *parts in plain(rows)
    ]


async def average_score(tx: ReadTx, members: Select[Any]) -> int | None:
    """Return the average score of the persons that a statement selects, or None when none of them is scored yet."""
    chosen = members.subquery("member")
    value = await tx.scalar(
        select(func.round(func.avg(col(QualityScore.score)))).where(
            col(QualityScore.person_id).in_(select(chosen.c[0]))
        )
    )
    return None if value is None else int(value)


async def list_unscored(tx: ReadTx, *, limit: int) -> list[UUID]:
    """Return people who have no score, or have changed since, or whose score is old."""
    rows = await tx.scalars(
        select(col(Person.id))
        .outerjoin(QualityScore, col(QualityScore.person_id) == col(Person.id))
        .where(
            ~col(Person.is_erased),
            or_(
                col(QualityScore.person_id).is_(None),
                col(Person.updated_at) > col(QualityScore.scored_at),
                col(QualityScore.scored_at) < tx.clock.now() - SCORE_AGE,
            ),
        )
        .limit(limit)
    )
    return list(rows)
