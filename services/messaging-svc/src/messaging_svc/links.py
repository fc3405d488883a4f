"""Addresses that stand in delivered mail: short tokens for clicks and openings, signed links for the rest.

A click token is 27 bytes, 36 characters: key id (1), message id (16), position of the link (1), keyed blake2b (9).
Whether it is ours is known without the database; where it leads is stored with the template, never in the address.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from kantis_contracts.values import Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.settings import ServiceSettings
from kantis_kit.web.contact import CONTACT_PATH

_MAC_BYTES = 9
_TOKEN_BYTES = 1 + 16 + 1 + _MAC_BYTES
_SHARED_BYTES = 15
"""Of key id and message id; a multiple of three, so that it ends with a whole sign of base64."""
_SHARED_CHARS = _SHARED_BYTES // 3 * 4
_REST_CHARS = (_TOKEN_BYTES - _SHARED_BYTES) // 3 * 4
_BYTE = [bytes((number,)) for number in range(256)]
_PURPOSES: tuple[Purpose, ...] = (Purpose.NEWSLETTER, Purpose.OFFERS, Purpose.SURVEYS)
"""Position is meaning in delivered mail: append, never reorder."""
_UNSUBSCRIBE_BYTES = 16 + 16 + 1
MAX_LINKS = 250
TEST_PAGE = 255
"""Position of the link that stands in a test message for every page of a recipient's own."""


class TrackingTokens:
    """Makes and reads the tokens of `/c`, `/o` and, as `m`, of the way to a person; the first key signs, all verify."""

    def __init__(self, ring: Mapping[int, bytes]) -> None:
        # Hashes that have taken in their key already: each token copies one, which is cheaper than making it.
        self._ring = {
            kid: {
                use: hashlib.blake2b(
                    key=hashlib.blake2b(use.encode(), key=key[:64], digest_size=32).digest(),
                    digest_size=_MAC_BYTES,
                )
                for use in ("c", "o", "m")
            }
            for kid, key in ring.items()
        }
        self._current = next(iter(self._ring))

    @classmethod
    def from_text(cls, text: str) -> "TrackingTokens":
        """Read a ring of the form `kid:hex,kid:hex`, the same as for signed links."""
        pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
        return cls({int(kid): bytes.fromhex(key) for kid, _, key in pairs})

    def make(self, use: str, message_id: UUID, link: int = 0) -> str:
        """Return the token of a link of a message (`c`), of its opening (`o`), or of its recipient (`m`)."""
        body = bytes((self._current,)) + message_id.bytes + bytes((link,))
        return base64.urlsafe_b64encode(body + self._mac(self._current, use, body)).decode()

    def clicks(self, message_id: UUID, count: int) -> list[str]:
        """Return the tokens of the first links of a message; their beginning is the same and is written once."""
        head = _BYTE[self._current] + message_id.bytes
        rest = head[_SHARED_BYTES:]
        keyed = self._ring[self._current]["c"].copy()
        keyed.update(head)
        raw = [head[:_SHARED_BYTES]]
        for link in _BYTE[:count]:
            mac = keyed.copy()
            mac.update(link)
            raw += (rest, link, mac.digest())
        text = base64.urlsafe_b64encode(b"".join(raw)).decode()
        shared = text[:_SHARED_CHARS]
        return [
            shared + text[at : at + _REST_CHARS]
            for at in range(_SHARED_CHARS, len(text), _REST_CHARS)
        ]

    def read(self, use: str, token: str) -> tuple[UUID, int] | None:
        """Return message and position, or None for a token that we did not make for this use."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        if len(raw) != _TOKEN_BYTES or raw[0] not in self._ring:
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(raw[0], use, body)):
            return None
        return UUID(bytes=body[1:17]), body[17]

    def _mac(self, kid: int, use: str, body: bytes) -> bytes:
        mac = self._ring[kid][use].copy()
        mac.update(body)
        return mac.digest()


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """What an unsubscribe link says: who, from which message, of which purpose."""

    person_id: UUID | None
    message_id: UUID
    purpose: Purpose


NOBODY = UUID(int=0)
"""Stands for the person in the links of a test message."""


def pack_unsubscribe(link: Unsubscribe) -> bytes:
    """Return the payload of an unsubscribe token."""
    person = link.person_id or NOBODY
    return person.bytes + link.message_id.bytes + bytes((_PURPOSES.index(link.purpose),))


def unpack_unsubscribe(payload: bytes) -> Unsubscribe | None:
    """Return what a payload says; None when it is not one."""
    if len(payload) != _UNSUBSCRIBE_BYTES or payload[32] >= len(_PURPOSES):
        return None
    person = UUID(bytes=payload[:16])
    return Unsubscribe(
        None if person == NOBODY else person, UUID(bytes=payload[16:32]), _PURPOSES[payload[32]]
    )


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Builds every address that a mail holds, on the configured public address."""

    base: str
    tokens: TrackingTokens
    signer: LinkSigner

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> "LinkMaker":
        """Take the ring of keys and the public address of the service."""
        ring = settings.link_keys.get_secret_value()
        return cls(
            settings.public_url.rstrip("/"),
            TrackingTokens.from_text(ring),
            LinkSigner.from_text(ring),
        )

    def click(self, message_id: UUID, link: int) -> str:
        """Return the tracked form of a link of a message."""
        return self.click_head + self.tokens.make("c", message_id, link)

    def clicks(self, message_id: UUID, count: int) -> list[str]:
        """Return the tracked forms of the first links of a message."""
        start = self.click_head
        return [start + token for token in self.tokens.clicks(message_id, count)]

    @property
    def click_head(self) -> str:
        """Return how the tracked form of every link begins; its token follows."""
        return f"{self.base}/c/"

    @property
    def opening_head(self) -> str:
        """Return how the address of every message's picture begins; its token follows."""
        return f"{self.base}/o/"

    @property
    def unsubscribe_head(self) -> str:
        """Return how every address that takes a no begins; its token follows."""
        return f"{self.base}/u/"

    @property
    def contact_head(self) -> str:
        """Return how every address at which a recipient reaches a person begins; its token follows."""
        return f"{self.base}{CONTACT_PATH}?who="

    def opening(self, message_id: UUID) -> str:
        """Return the address of the picture that shows that a message was shown."""
        return self.opening_head + self.tokens.make("o", message_id)

    def unsubscribe(self, link: Unsubscribe) -> str:
        """Return the address that takes a person's no, by page and by one click."""
        return self.unsubscribe_head + self.unsubscribe_token(link)

    def unsubscribe_token(self, link: Unsubscribe) -> str:
        """Return what makes such an address a person's own."""
        return self.signer.make("unsubscribe", pack_unsubscribe(link))

    def preferences(self, person_id: UUID | None) -> str:
        """Return the address of a person's preferences, which contacts-svc serves."""
        payload = (person_id or NOBODY).bytes
        return f"{self.base}/p/preferences/{self.signer.make('preferences', payload)}"

    def contact(self, message_id: UUID) -> str:
        """Return the address at which the recipient of a message reaches a person of ours."""
        return self.contact_head + self.tokens.make("m", message_id)

    def response(self, code: str) -> str:
        """Return the address at which the code of a piece is answered, which orders-svc serves."""
        return f"{self.base}/r/{code}"
