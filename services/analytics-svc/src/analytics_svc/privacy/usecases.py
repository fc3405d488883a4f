"""Forget persons: what they did is counted on, and belongs to nobody any more."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Table, Uuid, null, select, update

from analytics_svc.base import Base
from analytics_svc.facts import usecases as facts
from analytics_svc.privacy import events, queries
from kantis_contracts.contacts.privacy import DossierRequest, ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting, gathering
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts
from kantis_kit.tx import Tx

KEPT = {
    "fact": "what happened, for the figures; no longer linked to anybody",
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
    await facts.drop_persons(tx, sorted(ids))
    chosen = one_of(sorted(ids), Uuid())
    fact = Base.metadata.tables["fact"]
    # The id that stood there comes back from a copy of the row before: the update has emptied it.
    before = (
        select(fact.c.kind, fact.c.key, fact.c.person_id)
        .where(fact.c.person_id == chosen)
        .order_by(fact.c.kind, fact.c.key)
        .with_for_update()
        .cte("before")
    )
    await counts.run(
        tx,
        "fact",
        update(fact)
        .where(fact.c.kind == before.c.kind, fact.c.key == before.c.key)
        .values(person_id=null(), merged_id=null())
        .returning(before.c.person_id),
    )
    await counts.delete(tx, doomed(), ids)
