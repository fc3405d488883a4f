"""Users, their sessions and their one-time links: what is stored, and when it is good."""

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from gateway.base import Base

TOKEN_BYTES = 32  # 256 bits: a fast hash is enough, nobody guesses it


class User(Base, table=True):
    """A person who signs in to the console."""

    __tablename__ = "console_user"

    id: UUID = Field(primary_key=True)
    email: str
    name: str
    role: str
    language: str
    password: str = ""
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_by: str
    disabled_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Session(Base, table=True):
    """One signing in, at one browser. The token itself is in the browser alone."""

    __tablename__ = "console_session"

    id: UUID = Field(primary_key=True)
    user_id: UUID
    hash: bytes
    agent: str
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    seen_at: datetime = Field(sa_type=DateTime(timezone=True))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


class OneTimeLink(Base, table=True):
    """Sets a password once. Without a user it makes the first one."""

    __tablename__ = "console_link"

    id: UUID = Field(primary_key=True)
    user_id: UUID | None = None
    hash: bytes
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


def make_token() -> tuple[str, bytes]:
    """Return a new random token, and what is stored of it."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, digest_of(token)


def digest_of(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def csrf_of(token: str) -> str:
    """Return what the forms of a session carry: only who has its token can make it, and it does not tell the token."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()
