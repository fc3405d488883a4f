"""Milestones of customers."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from campaign_svc.milestones import usecases
from campaign_svc.milestones.schemas import MilestoneIn, MilestoneOut
from campaign_svc.rules import queries
from campaign_svc.rules.schemas import ExplanationOut
from campaign_svc.rules.usecases import end_rule, lock_rule
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/milestones", tags=["rules"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")
KIND = "milestone"


@router.post("", policy=WRITE, status_code=201)
async def make_milestone(body: MilestoneIn, tx: Write, response: Response) -> MilestoneOut:
    """Have something done when people reach a milestone from now on."""
    milestone = await usecases.make_milestone(tx, body)
    response.headers["Location"] = f"/v1/milestones/{milestone.id}"
    return MilestoneOut.model_validate(milestone)


@router.get("", policy=READ)
async def list_milestones(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[MilestoneOut]:
    """Return milestones, the newest first."""
    found = await queries.list_rules(tx, kind=KIND, after=id_after(cursor), limit=limit)
    return page_by_id([MilestoneOut.model_validate(one) for one in found], limit)


@router.get("/{milestone_id}", policy=READ)
async def get_milestone(milestone_id: UUID, tx: Read) -> MilestoneOut:
    """Return a milestone."""
    return MilestoneOut.model_validate(await queries.get_rule(tx, milestone_id, kind=KIND))


@router.delete("/{milestone_id}", policy=WRITE, status_code=204)
async def end_milestone(milestone_id: UUID, tx: Write) -> None:
    """End a milestone for good; what was done stays."""
    end_rule(tx, await lock_rule(tx, milestone_id, kind=KIND))


@router.get("/{milestone_id}/explain/{person_id}", policy=READ)
async def explain(milestone_id: UUID, person_id: UUID, tx: Read) -> ExplanationOut:
    """Tell when a person reached a milestone, by which facts, and what was done."""
    return await queries.explain(tx, await queries.get_rule(tx, milestone_id, kind=KIND), person_id)
