"""Reads of what was done about people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.actions.model import Step
from campaign_svc.actions.schemas import StepOut, StepState
from campaign_svc.aliases import person_alias
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx


async def list_steps(
    tx: ReadTx,
    *,
    person_id: UUID | None = None,
    asker_id: UUID | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[StepOut]:
    """Return a page of what was done, by person or by what acted."""
    statement = select(Step).order_by(col(Step.id)).limit(limit)
    if person_id:
        leads = await resolve(tx, person_alias, [person_id])
        statement = statement.where(col(Step.person_id) == leads.get(person_id, person_id))
    if asker_id:
        statement = statement.where(col(Step.asker_id) == asker_id)
    if after:
        statement = statement.where(col(Step.id) > after)
    return [StepOut.model_validate(row) for row in await tx.scalars(statement)]


async def list_tasks(
    tx: ReadTx, *, team: str | None, due_before: datetime | None, after: UUID | None, limit: int
) -> list[StepOut]:
    """Return a page of the tasks that nobody has done."""
    statement = (
        select(Step)
        .where(col(Step.kind) == "task", col(Step.state) == StepState.OPEN.value)
        .order_by(col(Step.id))
        .limit(limit)
    )
    if team is not None:
        statement = statement.where(col(Step.action)["team"].astext == team)
    if due_before is not None:
        statement = statement.where(col(Step.due_at) < due_before)
    if after:
        statement = statement.where(col(Step.id) > after)
    return [StepOut.model_validate(row) for row in await tx.scalars(statement)]
