"""Conditions of branches that only the register can judge: it keeps a segment for each and tells who is in it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from campaign_svc.programmes import events
from campaign_svc.programmes.errors import ConditionRefused, ConditionsNotKept
from campaign_svc.programmes.model import AskedCondition
from campaign_svc.programmes.schemas.conditions import Asked
from campaign_svc.programmes.schemas.graph import Graph
from campaign_svc.programmes.ways import conditions_in
from kantis_contracts.contacts import ConditionVerdict
from kantis_kit.tx import Tx

ASKED, ACCEPTED, REFUSED, KEPT = "asked", "accepted", "refused", "kept"


async def ask_register(tx: Tx, graph: Graph) -> None:
    """Ask the register to keep the conditions of a graph that are new, or that it has refused before."""
    wanted = {one.segment_id: one for one in conditions_in(graph) if isinstance(one, Asked)}
    if not wanted:
        return
    rows = [
        {"segment_id": id_, "condition": wanted[id_].condition, "state": ASKED, "problem": "",
         "asked_at": tx.clock.now()}
        for id_ in sorted(wanted)
    ]  # fmt: skip
    new = insert(AskedCondition).values(rows)
    again = new.on_conflict_do_update(
        index_elements=["segment_id"],
        set_={"state": ASKED, "problem": "", "asked_at": new.excluded.asked_at},
        where=col(AskedCondition.state) == REFUSED,
    )
    asked = await tx.scalars(again.returning(AskedCondition))
    tx.stage(events.conditions_asked(list(asked)))


async def require_kept(tx: Tx, graph: Graph) -> None:
    """Refuse a graph with conditions of which the register does not tell everybody yet.

    Raises:
        ConditionRefused: the register does not understand one.
        ConditionsNotKept: it has not come to the end of looking.
    """
    wanted = sorted({one.segment_id for one in conditions_in(graph) if isinstance(one, Asked)})
    found = (
        await tx.scalars(
            select(AskedCondition)
            .where(col(AskedCondition.segment_id).in_(wanted))
            .order_by(col(AskedCondition.segment_id))
        )
    ).all()
    refused = [one for one in found if one.state == REFUSED]
    if refused:
        raise ConditionRefused("; ".join(f"{one.condition}: {one.problem}" for one in refused))
    if any(one.state != KEPT for one in found):
        raise ConditionsNotKept(
            "The register is looking at everybody with the conditions of the branches; publish in a moment"
        )


async def take_verdicts(tx: Tx, verdicts: Sequence[ConditionVerdict]) -> None:
    """Keep what the register says to conditions that branches ask; verdicts of rules pass by."""
    for one in sorted(verdicts, key=lambda one: one.rule_id):
        await tx.execute(
            update(AskedCondition)
            .where(
                col(AskedCondition.segment_id) == one.rule_id, col(AskedCondition.state) == ASKED
            )
            .values(state=ACCEPTED if one.is_accepted else REFUSED, problem=one.problem)
        )


async def take_built(tx: Tx, segment_id: UUID) -> None:
    """Keep that everybody who is in a segment has been told."""
    await tx.execute(
        update(AskedCondition)
        .where(col(AskedCondition.segment_id) == segment_id)
        .values(state=KEPT, problem="")
    )
