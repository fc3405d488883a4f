"""What speaks against a referral: it is one's own, or goes in a circle."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.people.model import PersonMark
from campaign_svc.referrals.model import Referral, Referrer
from campaign_svc.referrals.schemas import ReferralState
from kantis_kit.tx import ReadTx

WHY = {
    "person": "the referrer has referred themselves",
    "mailbox": "referrer and referred read the same mailbox",
    "phone": "referrer and referred have the same telephone",
    "household": "referrer and referred live at the same address",
    "loop": "the referred person has brought the referrer, directly or by others",
    "customer": "the referred person was a customer before",
    "many": "the referrer has brought more people within a day than the rules allow",
}
_MARKS = ("mailbox", "phone", "household")


async def find_fault(tx: ReadTx, referrer_id: UUID, referred_id: UUID) -> str:
    """Return what speaks against it, as a key of `WHY`; nothing when nothing does."""
    if referrer_id == referred_id:
        return "person"
    rows = await tx.scalars(
        select(PersonMark).where(col(PersonMark.person_id).in_([referrer_id, referred_id]))
    )
    marks: Mapping[UUID, Any] = {one.person_id: one for one in rows}
    if len(marks) == 2:  # noqa: PLR2004 - a pair
        for name in _MARKS:
            one, other = (getattr(mark, name) for mark in marks.values())
            if one and one == other:
                return name
    return "loop" if await _is_loop(tx, referrer_id, referred_id) else ""


async def _is_loop(tx: ReadTx, referrer_id: UUID, referred_id: UUID) -> bool:
    """Say whether the referrer was brought by the referred one, over any number of others."""
    holds = col(Referral.state) != ReferralState.REFUSED.value
    above = (
        select(col(Referrer.person_id).label("person_id"))
        .join(Referral, col(Referral.code) == col(Referrer.code))
        .where(col(Referral.person_id) == referrer_id, holds)
        .cte("above", recursive=True)
    )
    above = above.union(
        select(col(Referrer.person_id))
        .join(Referral, col(Referral.code) == col(Referrer.code))
        .join(above, col(Referral.person_id) == above.c.person_id)
        .where(holds)
    )
    found = select(above.c.person_id).where(above.c.person_id == referred_id)
    return await tx.scalar(found.limit(1)) is not None
