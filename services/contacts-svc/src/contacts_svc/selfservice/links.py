"""Signed links to a person's own pages.

Every campaign mail leads to the preferences, and mails are forwarded: what downloads or erases needs a token of its own,
which is mailed to the person and lives for an hour. The pages link to each other with tokens that can only ask for it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from kantis_kit.auth.links import LinkSigner

PAGES = ("preferences", "profile", "consents", "data", "erase")
SHORT = ("data", "erase")
"""Pages whose links work for an hour: what they give away or take away is worth more than a choice."""
_SHORT_LIFE = timedelta(hours=1)
_ID_BYTES = 16
_HELD = "held"


def path_to(signer: LinkSigner, name: str, person_id: UUID, *, now: datetime) -> str:
    """Return the path of a person's page, with its token."""
    expires_at = now + _SHORT_LIFE if name in SHORT else None
    return f"/p/{name}/{signer.make(name, person_id.bytes, expires_at=expires_at)}"


def person_of(signer: LinkSigner, name: str, token: str, *, now: datetime) -> UUID | None:
    """Return whose page a token opens; None when it is forged, of another page, or too old."""
    payload = signer.read(name, token, now=now)
    return UUID(bytes=payload) if payload is not None and len(payload) == _ID_BYTES else None


def way_to(signer: LinkSigner, name: str, person_id: UUID) -> str:
    """Return the path by which a person's pages lead to one of them; a short-lived page is only asked for there."""
    purpose = f"ask {name}" if name in SHORT else name
    return f"/p/{name}/{signer.make(purpose, person_id.bytes)}"


def asker_of(signer: LinkSigner, name: str, token: str, *, now: datetime) -> UUID | None:
    """Return whose short-lived page may be asked for with a token; None for any other token."""
    return person_of(signer, f"ask {name}", token, now=now)


def path_by_sender(signer: LinkSigner, person_id: UUID, language: str = "") -> str:
    """Return where the preference form is posted: messaging-svc holds the noes, and sends the browser on to us."""
    asked = f"?lang={language}" if language else ""
    return f"/u/preferences/{signer.make('preferences', person_id.bytes)}{asked}"


def is_held(signer: LinkSigner, stamp: str, person_id: UUID, *, now: datetime) -> bool:
    """Say whether the noes of a posted form are in force where messages are sent: the stamp is messaging-svc's."""
    return person_of(signer, _HELD, stamp, now=now) == person_id
