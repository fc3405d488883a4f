"""Signed links to surveys: whose answer it is stands in the link and nowhere else."""

from datetime import datetime, timedelta
from uuid import UUID

from kantis_kit.auth.links import LinkSigner

PURPOSE = "survey"
_ID_BYTES = 16


def path_to(
    signer: LinkSigner, survey_id: UUID, person_id: UUID, *, now: datetime, days: int
) -> str:
    """Return the path of the page on which this person answers."""
    payload = survey_id.bytes + person_id.bytes
    return f"/q/{signer.make(PURPOSE, payload, expires_at=now + timedelta(days=days))}"


def read_token(signer: LinkSigner, token: str, *, now: datetime) -> tuple[UUID, UUID] | None:
    """Return survey and person of a token; None when it is forged, of another purpose, or too old."""
    payload = signer.read(PURPOSE, token, now=now)
    if payload is None or len(payload) != 2 * _ID_BYTES:
        return None
    return UUID(bytes=payload[:_ID_BYTES]), UUID(bytes=payload[_ID_BYTES:])
