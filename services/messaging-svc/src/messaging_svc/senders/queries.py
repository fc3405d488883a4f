"""Read what the DNS said of our domains."""

from sqlalchemy import select

from kantis_kit.tx import ReadTx
from messaging_svc.senders.errors import NeverChecked
from messaging_svc.senders.model import sender_check
from messaging_svc.senders.schemas import SenderCheck


async def find_check(tx: ReadTx, domain: str) -> SenderCheck | None:
    """Return what was found last; None when nobody has asked."""
    row = (await tx.execute(select(sender_check).where(sender_check.c.domain == domain))).first()
    return None if row is None else SenderCheck.model_validate(row)


async def get_check(tx: ReadTx, domain: str) -> SenderCheck:
    """Return what was found last.

    Raises:
        NeverChecked: nobody has asked.
    """
    found = await find_check(tx, domain)
    if found is None:
        raise NeverChecked(f"Ask with POST /v1/senders/{domain}/check")
    return found
