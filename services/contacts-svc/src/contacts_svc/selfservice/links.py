"""Signed links to a person's own pages."""

from datetime import datetime, timedelta
from uuid import UUID

from kantis_kit.auth.links import LinkSigner

PAGES = ("preferences", "profile", "consents", "data", "erase")
SHORT = ("data", "erase")
"""Pages whose links work for an hour: what they give away or take away is worth more than a choice."""
_SHORT_LIFE = timedelta(hours=1)
_ID_BYTES = 16


def path_to(signer: LinkSigner, name: str, person_id: UUID, *, now: datetime) -> str:
    """Return the path of a person's page, with its token."""
    expires_at = now + _SHORT_LIFE if name in SHORT else None
    return f"/p/{name}/{signer.make(name, person_id.bytes, expires_at=expires_at)}"


def person_of(signer: LinkSigner, name: str, token: str, *, now: datetime) -> UUID | None:
    """Return whose page a token opens; None when it is forged, of another page, or too old."""
    payload = signer.read(name, token, now=now)
    return UUID(bytes=payload) if payload is not None and len(payload) == _ID_BYTES else None
