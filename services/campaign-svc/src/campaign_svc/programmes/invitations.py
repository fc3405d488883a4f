"""Signed links to the page on which somebody signs up for an event: who and for what stands in the link alone."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from campaign_svc.programmes.schemas.graph import Content
from kantis_kit.auth.links import LinkSigner

PURPOSE = "sign-up"
_ID_BYTES = 16
_AFTERWARDS = timedelta(days=30)
"""So long after an event its page says that it is over."""


class Invitation(NamedTuple):
    """Who is invited to what."""

    programme_id: UUID
    person_id: UUID
    step: str


def ends_at(step: Content) -> datetime | None:
    """Return when an event is over; None of what is none."""
    return step.begins_at + timedelta(minutes=step.minutes) if step.begins_at else None


def path_to(signer: LinkSigner, invited: Invitation, over_at: datetime) -> str:
    """Return the path of the page on which this person signs up."""
    payload = invited.programme_id.bytes + invited.person_id.bytes + invited.step.encode()
    return f"/e/{signer.make(PURPOSE, payload, expires_at=over_at + _AFTERWARDS)}"


def read_token(signer: LinkSigner, token: str, *, now: datetime) -> Invitation | None:
    """Return what a token says; None when it is forged, of another purpose, or too old."""
    payload = signer.read(PURPOSE, token, now=now)
    if payload is None or len(payload) <= 2 * _ID_BYTES:
        return None
    return Invitation(
        UUID(bytes=payload[:_ID_BYTES]),
        UUID(bytes=payload[_ID_BYTES : 2 * _ID_BYTES]),
        payload[2 * _ID_BYTES :].decode("ascii", "replace"),
    )
