"""Conditions of branches that only the register can judge: it keeps a segment for each and tells who is in it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from campaign_svc.programmes import events
from campaign_svc.programmes.errors import ConditionRefused, ConditionsNotKept
from campaign_svc.programmes.model import (
    AskedCondition,
    Programme,
    ProgrammeVersion,
    Run,
    SegmentMember,
)
from campaign_svc.programmes.schemas.api import ProgrammeState
from campaign_svc.programmes.schemas.conditions import Asked, InSegment
from campaign_svc.programmes.schemas.graph import Graph
from campaign_svc.programmes.ways import conditions_in
from kantis_contracts.contacts import ConditionVerdict
from kantis_kit.tx import Tx

ASKED, ACCEPTED, REFUSED, KEPT, CLOSED = "asked", "accepted", "refused", "kept", "closed"


async def ask_register(tx: Tx, graph: Graph) -> None:
    """Ask the register to keep the conditions of a graph that are new, or that it has refused or closed before."""
    wanted = {one.segment_id: one for one in conditions_in(graph) if isinstance(one, Asked)}
    if not wanted:
        return
    rows = [
        {"segment_id": id_, "condition": wanted[id_].condition, "state": ASKED, "problem": "",
         "asked_at": tx.clock.now(), "told_version": int(tx.clock.now().timestamp())}
        for id_ in sorted(wanted)
    ]  # fmt: skip
    new = insert(AskedCondition).values(rows)
    again = new.on_conflict_do_update(
        index_elements=["segment_id"],
        set_={
            "state": ASKED,
            "problem": "",
            "asked_at": new.excluded.asked_at,
            "told_version": func.greatest(
                new.excluded.told_version, col(AskedCondition.told_version) + 1
            ),
        },
        where=col(AskedCondition.state).in_([REFUSED, CLOSED]),
    )
    asked = await tx.scalars(again.returning(AskedCondition))
    tx.stage(events.conditions_asked(list(asked)))


async def close_unused(tx: Tx) -> int:
    """Have the register close what no version asks for any more that somebody is in or may come into; return how many.

    A draft that asks for one of them meanwhile waits for this, and asks the register anew.
    """
    open_ = (
        await tx.scalars(
            select(AskedCondition)
            .where(col(AskedCondition.state).in_([ASKED, ACCEPTED, KEPT]))
            .order_by(col(AskedCondition.segment_id))
            .with_for_update()
        )
    ).all()
    if not open_:
        return 0
    used = {
        one.segment_id
        for graph in await _graphs_in_use(tx)
        for one in conditions_in(graph)
        if isinstance(one, Asked | InSegment)
    }
    unused = [one for one in open_ if one.segment_id not in used]
    for one in unused:
        one.state, one.told_version = CLOSED, one.told_version + 1
    if unused:
        ids = [one.segment_id for one in unused]
        await tx.execute(delete(SegmentMember).where(col(SegmentMember.segment_id).in_(ids)))
        tx.stage(events.conditions_asked(unused, is_wanted=False))
    return len(unused)


async def _graphs_in_use(tx: Tx) -> list[Graph]:
    """Return the graphs of versions that somebody is in, or may yet come into."""
    version = col(ProgrammeVersion.version)
    somebody = (
        select(col(Run.id))
        .where(
            col(Run.programme_id) == col(ProgrammeVersion.programme_id),
            col(Run.version) == version,
            col(Run.ended_at).is_(None),
        )
        .exists()
    )
    may_come = (version == col(Programme.live_version)) & (
        col(Programme.state) != ProgrammeState.CLOSED.value
    )
    rows = await tx.scalars(
        select(ProgrammeVersion.graph)
        .join(Programme, col(Programme.id) == col(ProgrammeVersion.programme_id))
        .where(may_come | (version == col(Programme.draft_version)) | somebody)
    )
    return [Graph.model_validate(one) for one in rows]


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
        .where(col(AskedCondition.segment_id) == segment_id, col(AskedCondition.state) != CLOSED)
        .values(state=KEPT, problem="")
    )
