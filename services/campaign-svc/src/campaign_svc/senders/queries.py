"""Reads of what the DNS says of the domains that mails are from."""

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.senders.model import SenderDomain
from kantis_contracts.messaging import SenderCheck
from kantis_kit.tx import ReadTx


async def find_own_sender(tx: ReadTx) -> SenderCheck | None:
    """Return what was last found of the domain that campaigns write from; None when nobody has looked."""
    rows = await tx.scalars(
        select(SenderDomain)
        .where(col(SenderDomain.is_ours))
        .order_by(col(SenderDomain.checked_at).desc())
        .limit(1)
    )
    row = rows.first()
    return None if row is None else SenderCheck.model_validate(row.model_dump())
