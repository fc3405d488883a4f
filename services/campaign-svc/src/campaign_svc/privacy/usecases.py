"""Forget persons: why they were chosen goes, that a piece went out stays for the figures."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Uuid, delete, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from campaign_svc.base import Base
from campaign_svc.privacy import events, queries
from kantis_contracts.contacts.privacy import DossierRequest, ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting, gathering
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts
from kantis_kit.tx import Tx

KEPT = {
    "piece": "that somebody got a piece, for the figures and so that none is sent twice; emptied, names nobody",
    "coupon": "that a code was given and whether it was used, so that it is good for one time; emptied, names nobody",
    "competition_entry": "the ticket, so that everybody can draw once more; names nobody",
    "survey_answer": "scores and choices, for the figures; what was written freely is emptied, names nobody",
    "idea": "that an idea was had, so that its votes stand; its words are emptied, names nobody",
    "community_post": "the stars of a review, for the figures; its words are emptied, names nobody",
    "idea_vote": "that a vote was given, so that the count stands; names nobody",
}
"""Tables that stay, and why; rows of every other table that names a person are deleted."""

_UNNAMED: dict[str, dict[str, Any]] = {
    "coupon": {"reason": ""},
    "competition_entry": {},
    "survey_answer": {"texts": {}},
    "idea": {"text": "", "is_hidden": True},
    "idea_vote": {},
    "community_post": {"nickname": "", "title": "", "text": "", "caution": "", "reason": ""},
}
"""Tables whose rows stay without the person, and what else of them is emptied."""


def doomed() -> list[Table]:
    """Return the tables whose rows about a person are deleted."""
    return forgetting.tables_naming(Base.metadata, without=KEPT)


async def forget(tx: Tx, requests: Sequence[ErasureRequest], *, is_reminder: bool = False) -> None:
    """Forget persons and answer with a receipt each."""
    receipts = await forgetting.forget(
        tx,
        requests,
        empty=_empty,
        metadata=Base.metadata,
        kept=KEPT,
        blanks=PERSONAL,
        is_reminder=is_reminder,
    )
    tx.stage(events.completed(receipts))


async def tell(tx: Tx, requests: Sequence[DossierRequest]) -> None:
    """Answer with everything that is held of persons, each in parts that travel."""
    await gathering.answer(tx, requests, gather=queries.gather, event=events.answered)


async def sweep(tx: Tx, *, is_whole: bool = False) -> None:
    """Empty what an event that came late has written of persons who are forgotten: lately, or ever."""
    await forgetting.sweep(tx, empty=_empty, blanks=PERSONAL, is_whole=is_whole)


async def _empty(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    chosen = one_of(sorted(ids), Uuid())
    piece = Base.metadata.tables["piece"]
    await counts.run(
        tx,
        "piece",
        update(piece)
        .where(
            piece.c.person_id == chosen,
            (piece.c.because != literal([], JSONB()))
            | (piece.c.reason != "")
            | (piece.c.route != literal({}, JSONB())),
        )
        .values(because=literal([], JSONB()), reason="", route=literal({}, JSONB()))
        .returning(piece.c.person_id),
    )
    for name, blank in _UNNAMED.items():
        await _unname(tx, Base.metadata.tables[name], blank, chosen, counts)
    run, visit = (Base.metadata.tables[name] for name in ("programme_run", "programme_visit"))
    walked = visit.c.run_id == run.c.id  # which says who it was, and is deleted after it
    await counts.run(
        tx,
        "programme_visit",
        delete(visit).where(walked, run.c.person_id == chosen).returning(run.c.person_id),
    )
    await counts.delete(tx, doomed(), ids)


async def _unname(
    tx: Tx, table: Table, blank: Mapping[str, Any], chosen: ColumnElement[Any], counts: Counts
) -> None:
    """Let rows stay and name nobody."""
    (key,) = table.primary_key.columns
    named = select(key.label("key"), table.c.person_id).where(table.c.person_id == chosen).cte()
    await counts.run(
        tx,
        table.name,
        update(table)
        .where(key == named.c.key)
        .values(person_id=None, merged_id=None, **blank)
        .returning(named.c.person_id),
    )
