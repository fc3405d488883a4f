"""Signed links to invoices, which live in mails for years: whoever holds one sees that invoice and nothing else."""

from datetime import datetime, timedelta
from uuid import UUID

from kantis_kit.auth.links import LinkSigner

PURPOSE = "invoice"
PREFIX = "/i"
DAYS = 5 * 366
"""As long as the law of bookkeeping has most buyers keep it."""
_ID_BYTES = 16


def path_to(signer: LinkSigner, invoice_id: UUID, *, now: datetime) -> str:
    """Return the path of the page of an invoice or credit note."""
    token = signer.make(PURPOSE, invoice_id.bytes, expires_at=now + timedelta(days=DAYS))
    return f"{PREFIX}/{token}"


def read_token(signer: LinkSigner, token: str, *, now: datetime) -> UUID | None:
    """Return whose invoice a token shows; None when it is forged, of another purpose, or too old."""
    payload = signer.read(PURPOSE, token, now=now)
    return UUID(bytes=payload) if payload is not None and len(payload) == _ID_BYTES else None
