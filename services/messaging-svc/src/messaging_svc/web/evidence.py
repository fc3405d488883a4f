"""What a page carries of what it was given: signed, so that nobody reports what was never shown to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kantis_kit.auth.links import LinkSigner

_NOBODY = UUID(int=0)
_BYTES = 16 + 4 + 16 + 16
_PURPOSE = "web-evidence"
_LIFE = timedelta(days=2)
VISITOR = "visit"
"""Purpose of the tokens by which a person is known on a site; contacts-svc makes them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was shown, and to whom; to everybody when there is no person."""

    content_id: UUID
    number: int
    person_id: UUID | None = None
    message_id: UUID | None = None

    def signed(self, signer: LinkSigner, *, now: datetime) -> str:
        """Return the token; that of what everybody sees never changes, so that caches may keep it."""
        payload = (
            self.content_id.bytes
            + self.number.to_bytes(4, "big")
            + (self.person_id or _NOBODY).bytes
            + (self.message_id or _NOBODY).bytes
        )
        until = now + _LIFE if self.person_id else None
        return signer.make(_PURPOSE, payload, expires_at=until)

    @classmethod
    def read(cls, token: str, signer: LinkSigner, *, now: datetime) -> "Evidence | None":
        """Return what a token says; None when it is not one of ours, or too old."""
        payload = signer.read(_PURPOSE, token, now=now)
        if payload is None or len(payload) != _BYTES:
            return None
        person, message = UUID(bytes=payload[20:36]), UUID(bytes=payload[36:])
        return cls(
            UUID(bytes=payload[:16]),
            int.from_bytes(payload[16:20], "big"),
            None if person == _NOBODY else person,
            None if message == _NOBODY else message,
        )


def person_named(token: str, signer: LinkSigner, *, now: datetime) -> UUID | None:
    """Return whom a visitor's token names; None when it names nobody."""
    payload = signer.read(VISITOR, token, now=now) if token else None
    return (
        UUID(bytes=payload) if payload is not None and len(payload) == len(_NOBODY.bytes) else None
    )
