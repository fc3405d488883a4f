"""Business rules: kept, rehearsed, explained."""

from uuid import UUID

from fastapi import Request, Response

from campaign_svc.rules import queries, usecases
from campaign_svc.rules.schemas import (
    Decision,
    EntryOut,
    ExplanationOut,
    RehearsalIn,
    RehearsalOut,
    RuleIn,
    RuleOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/rules", tags=["rules"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.post("", policy=WRITE, status_code=201)
async def make_rule(body: RuleIn, tx: Write, response: Response) -> RuleOut:
    """Make a rule; it begins when its condition has been accepted, within moments, unless it is to be rehearsed first."""
    rule = await usecases.make_rule(tx, body)
    response.headers["Location"] = f"/v1/rules/{rule.id}"
    response.headers["ETag"] = etag(rule.version)
    return RuleOut.model_validate(rule)


@router.get("", policy=READ)
async def list_rules(tx: Read, cursor: str | None = None, limit: Limit = 50) -> Page[RuleOut]:
    """Return rules, the newest first."""
    rules = await queries.list_rules(tx, kind="rule", after=id_after(cursor), limit=limit)
    return page_by_id([RuleOut.model_validate(one) for one in rules], limit)


@router.get("/{rule_id}", policy=READ)
async def get_rule(rule_id: UUID, tx: Read, response: Response) -> RuleOut:
    """Return a rule, and what the register says of its condition."""
    rule = await queries.get_rule(tx, rule_id)
    response.headers["ETag"] = etag(rule.version)
    return RuleOut.model_validate(rule)


@router.put("/{rule_id}", policy=WRITE)
async def change_rule(
    rule_id: UUID, body: RuleIn, request: Request, tx: Write, response: Response
) -> RuleOut:
    """Replace a rule that has not changed since it was read (If-Match)."""
    rule = await usecases.lock_rule(tx, rule_id)
    require_match(request, rule.version)
    await usecases.change_rule(tx, rule, body)
    response.headers["ETag"] = etag(rule.version)
    return RuleOut.model_validate(rule)


@router.delete("/{rule_id}", policy=WRITE, status_code=204)
async def end_rule(rule_id: UUID, tx: Write) -> None:
    """End a rule for good; what it has done stays."""
    usecases.end_rule(tx, await usecases.lock_rule(tx, rule_id))


@router.post("/{rule_id}/pause", policy=WRITE)
async def pause_rule(rule_id: UUID, tx: Write) -> RuleOut:
    """Have a rule do nothing for now."""
    rule = await usecases.lock_rule(tx, rule_id)
    usecases.pause_rule(tx, rule)
    return RuleOut.model_validate(rule)


@router.post("/{rule_id}/resume", policy=WRITE)
async def resume_rule(rule_id: UUID, tx: Write) -> RuleOut:
    """Have a rule act on what becomes true from now on."""
    rule = await usecases.lock_rule(tx, rule_id)
    usecases.resume_rule(tx, rule)
    return RuleOut.model_validate(rule)


@router.get("/{rule_id}/entries", policy=READ)
async def list_entries(
    rule_id: UUID, tx: Read, decision: Decision | None = None, limit: Limit = 50
) -> list[EntryOut]:
    """Return what a rule has decided, the newest first, each with the facts of then."""
    rule = await queries.get_rule(tx, rule_id)
    return await queries.list_entries(tx, rule.id, decision=decision, limit=limit)


@router.get("/{rule_id}/explain/{person_id}", policy=READ)
async def explain(rule_id: UUID, person_id: UUID, tx: Read) -> ExplanationOut:
    """Tell why a rule has done something about a person, or has not, by the facts of then."""
    return await queries.explain(tx, await queries.get_rule(tx, rule_id), person_id)


@router.post("/{rule_id}/rehearsals", policy=WRITE, status_code=201)
async def rehearse(rule_id: UUID, body: RehearsalIn, tx: Write, response: Response) -> RehearsalOut:
    """Ask what the rule would have done in the last days; the answer is there within moments."""
    rule = await queries.get_rule(tx, rule_id)
    rehearsal = await usecases.rehearse(tx, rule, body)
    await tx.flush()  # read back as everybody sees it
    response.headers["Location"] = f"/v1/rules/{rule_id}/rehearsals/{rehearsal.id}"
    return await queries.get_rehearsal(tx, rule, rehearsal.id)


@router.get("/{rule_id}/rehearsals/{rehearsal_id}", policy=READ)
async def get_rehearsal(rule_id: UUID, rehearsal_id: UUID, tx: Read) -> RehearsalOut:
    """Return who would have been acted about, and when."""
    return await queries.get_rehearsal(tx, await queries.get_rule(tx, rule_id), rehearsal_id)
