"""The state of a segment against its care model."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import TextClause

from campaign_svc.care import sql
from campaign_svc.care.model import CareModel
from campaign_svc.care.schemas import (
    BudgetState,
    CareState,
    Goal,
    GoalKind,
    GoalState,
    MixState,
)
from kantis_kit.tx import ReadTx

_MONTH = timedelta(days=30)
_FIGURES: Mapping[GoalKind, tuple[TextClause, Mapping[str, Any]]] = {
    GoalKind.RETENTION: (sql.RETENTION, {}),
    GoalKind.REPEAT_PURCHASE: (sql.REPEAT_PURCHASE, {}),
    GoalKind.REFERRAL: (sql.REFERRAL, {}),
    GoalKind.SATISFACTION: (sql.MARKS, {"kind": "csat", "good_from": 4, "bad_to": -1}),
    GoalKind.RECOMMENDATION: (sql.MARKS, {"kind": "nps", "good_from": 9, "bad_to": 6}),
}


async def state_of(tx: ReadTx, model: CareModel) -> CareState:
    """Return how a segment stands against its goals, its budget of contacts and its mix of channels."""
    people = int(await tx.scalar(sql.PEOPLE, {"segment_id": model.segment_id}))
    return CareState(
        model_id=model.id,
        segment_id=model.segment_id,
        people=people,
        goals=[await _goal(tx, model, Goal.model_validate(one)) for one in model.goals],
        budget=await _budget(tx, model, people),
        channels=await _channels(tx, model),
    )


async def _goal(tx: ReadTx, model: CareModel, goal: Goal) -> GoalState:
    statement, more = _FIGURES[goal.kind]
    since = tx.clock.now() - timedelta(days=goal.days)
    given = {"segment_id": model.segment_id, "since": since, **more}
    row = (await tx.execute(statement, given)).one()
    value = round(100 * (row.good - row.bad) / row.basis, 1) if row.basis else None
    return GoalState(
        kind=goal.kind,
        days=goal.days,
        target=goal.target,
        value=value,
        basis=row.basis,
        is_met=None if value is None else value >= goal.target,
        gap=None if value is None else round(goal.target - value, 1),
    )


async def _budget(tx: ReadTx, model: CareModel, people: int) -> BudgetState:
    most = model.most_per_month
    given = {"segment_id": model.segment_id, "since": tx.clock.now() - _MONTH, "most": most}
    row = (await tx.execute(sql.BUDGET, given)).one()
    return BudgetState(
        most_per_month=most,
        pieces=int(row.pieces),
        per_person=round(int(row.pieces) / people, 2) if people else 0,
        people_over=row.people_over,
        people_full=row.people_full,
    )


async def _channels(tx: ReadTx, model: CareModel) -> list[MixState]:
    given = {"segment_id": model.segment_id, "since": tx.clock.now() - _MONTH}
    found = {row.channel: row.pieces for row in await tx.execute(sql.CHANNELS, given)}
    total = sum(found.values())
    return [
        MixState(
            channel=channel,
            meant_pct=model.channel_mix.get(channel, 0),
            pieces=found.get(channel, 0),
            actual_pct=round(100 * found.get(channel, 0) / total, 1) if total else None,
        )
        for channel in sorted({*found, *model.channel_mix})
    ]
