"""Referrals: a code for whoever wants to bring others, and what becomes of those who come."""

from uuid import UUID

from campaign_svc.referrals import usecases
from campaign_svc.referrals.schemas import (
    DecisionIn,
    ReferralIn,
    ReferralOut,
    ReferrerIn,
    ReferrerOut,
    RulesIn,
    RulesOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/referrers", tags=["referrals"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.put("/rules", policy=WRITE)
async def set_rules(body: RulesIn, tx: Write) -> RulesOut:
    """Say what a referral is worth, and how many of one referrer are taken in a day."""
    return RulesOut.model_validate(await usecases.set_rules(tx, body))


@router.get("/rules", policy=READ)
async def get_rules(tx: Read) -> RulesOut:
    """Return the rules."""
    return RulesOut.model_validate(await usecases.get_rules(tx))


@router.post("", policy=WRITE, status_code=201)
async def give_code(body: ReferrerIn, tx: Write) -> ReferrerOut:
    """Give somebody, customer or not, a code and a link, which they pass on themselves."""
    return await usecases.give_code(tx, body.person_id)


@router.get("/{code}", policy=READ)
async def get_referrer(code: str, tx: Read) -> ReferrerOut:
    """Return a referrer."""
    return usecases.shown(await usecases.get_referrer(tx, code), await usecases.get_rules(tx))


@router.post("/{code}/referrals", policy=WRITE, status_code=201)
async def claim(code: str, body: ReferralIn, tx: Write) -> ReferralOut:
    """Note that somebody came with the code; what speaks against it is told with it."""
    return ReferralOut.model_validate(await usecases.claim(tx, code, body.person_id))


@router.get("/{code}/referrals", policy=READ)
async def list_referrals(code: str, tx: Read) -> list[ReferralOut]:
    """List whom a referrer has brought, the newest first."""
    return [ReferralOut.model_validate(one) for one in await usecases.list_referrals(tx, code)]


@router.post("/{code}/referrals/{referral_id}/decision", policy=WRITE)
async def decide(code: str, referral_id: UUID, body: DecisionIn, tx: Write) -> ReferralOut:
    """Decide on a referral that is held."""
    return ReferralOut.model_validate(await usecases.decide(tx, code, referral_id, body))
