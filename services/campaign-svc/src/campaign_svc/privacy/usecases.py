"""Forget persons: why they were chosen goes, that a piece went out stays for the figures."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Table, Uuid, literal, update
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
}
"""Tables that stay, and why; rows of every other table that names a person are deleted."""


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
            (piece.c.because != literal([], JSONB())) | (piece.c.reason != ""),
        )
        .values(because=literal([], JSONB()), reason="")
        .returning(piece.c.person_id),
    )
    await counts.delete(tx, doomed(), ids)
