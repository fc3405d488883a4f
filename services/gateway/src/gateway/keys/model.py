"""API keys: what is stored of them, and when one is good."""

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from gateway.base import Base

BRAND = "kantis"
PREFIX_BYTES = 6
SECRET_BYTES = 32  # 256 bits: a fast hash is enough, nobody guesses it
MAX_KEY_LENGTH = 128


class ApiKey(Base, table=True):
    """A key of one role. The key itself is shown once and stored nowhere."""

    __tablename__ = "api_key"

    id: UUID = Field(primary_key=True)
    prefix: str
    hash: bytes
    role: str
    name: str
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_by: str
    expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    last_used_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))

    def fits(self, digest: bytes) -> bool:
        """Say, in constant time, whether this is the hash of the presented key."""
        return hmac.compare_digest(self.hash, digest)

    def is_good(self, *, at: datetime) -> bool:
        """Say whether the key may be used now."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def make_secret() -> tuple[str, str]:
    """Return a new key and the part of it by which its row is found."""
    prefix = secrets.token_hex(PREFIX_BYTES)
    return f"{BRAND}_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}", prefix


def digest_of(key: str) -> bytes:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


def prefix_of(key: str) -> str | None:
    """Return the prefix of something that looks like a key, or None."""
    parts = key.split("_", 2)
    if len(key) > MAX_KEY_LENGTH or len(parts) != 3 or parts[0] != BRAND:  # noqa: PLR2004 - brand, prefix, secret
        return None
    prefix = parts[1]
    return prefix if len(prefix) == 2 * PREFIX_BYTES and prefix.isascii() else None
