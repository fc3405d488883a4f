"""Signed links that live in delivered mail for years.

A token is bound to one purpose and carries the id of its key, so that keys can be changed while old mail keeps working.
Layout before base64url: key id (1 byte), payload, expiry in hours since 1970 (4 bytes, 0 = never), MAC (12 bytes).
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from functools import lru_cache

MAC_BYTES = 12
_HOUR = 3600


class LinkSigner:
    """Makes and reads tokens; the first key of the ring signs, all of them verify."""

    def __init__(self, ring: dict[int, bytes]) -> None:
        if not ring:
            message = "a link signer needs at least one key"
            raise ValueError(message)
        self._ring = ring
        self._current = next(iter(ring))

    @classmethod
    def from_text(cls, text: str) -> "LinkSigner":
        """Read a ring of the form `kid:hex,kid:hex`."""
        ring = {}
        for part in filter(None, text.split(",")):
            kid, _, key = part.strip().partition(":")
            ring[int(kid)] = bytes.fromhex(key)
        return cls(ring)

    def make(self, purpose: str, payload: bytes, *, expires_at: datetime | None = None) -> str:
        """Return a token for this purpose and no other."""
        hours = 0 if expires_at is None else int(expires_at.timestamp()) // _HOUR + 1
        body = bytes([self._current]) + payload + hours.to_bytes(4, "big")
        token = body + self._mac(self._ring[self._current], purpose, body)
        return base64.urlsafe_b64encode(token).rstrip(b"=").decode()

    def read(self, purpose: str, token: str, *, now: datetime) -> bytes | None:
        """Return the payload, or None when the token is forged, foreign, of another purpose or too old."""
        try:
            raw = base64.b64decode(
                token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except (ValueError, binascii.Error):
            return None
        if len(raw) < 1 + 4 + MAC_BYTES:
            return None
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        key = self._ring.get(body[0])
        if key is None or not hmac.compare_digest(mac, self._mac(key, purpose, body)):
            return None
        hours = int.from_bytes(body[-4:], "big")
        if hours and now.timestamp() >= hours * _HOUR:
            return None
        return body[1:-4]

    @staticmethod
    def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
        mac = _keyed(key, purpose).copy()
        mac.update(body)
        return mac.digest()


@lru_cache(maxsize=64)
def _keyed(key: bytes, purpose: str) -> "hashlib.blake2b":
    """Return the hash that has taken in key and purpose already; copying one is cheaper than making it, and there are few."""
    return hashlib.blake2b(
        key=key[:64],
        digest_size=MAC_BYTES,
        person=hashlib.blake2b(purpose.encode(), digest_size=16).digest(),
    )
