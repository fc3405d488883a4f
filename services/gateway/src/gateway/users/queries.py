"""Reads of users and sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from gateway.keys.roles import Role
from gateway.users.errors import UserNotFound
from gateway.users.model import OneTimeLink, Session, User, digest_of
from gateway.users.schemas import UserOut
from kantis_kit.tx import ReadTx


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session this is."""

    user: User
    session: Session


def shown(user: User) -> UserOut:
    """Return what others may see of a user."""
    return UserOut(**user.model_dump(exclude={"password"}), has_password=bool(user.password))


async def find_by_email(tx: ReadTx, email: str) -> User | None:
    """Return the user of an address, however its letters are written."""
    found: User | None = await tx.scalar(select(User).where(col(User.email) == email.lower()))
    return found


async def get_user(tx: ReadTx, user_id: UUID) -> User:
    """Return a user.

    Raises:
        UserNotFound: there is none.
    """
    found = await tx.get(User, user_id)
    if found is None:
        raise UserNotFound
    return found


async def list_users(tx: ReadTx, *, after: UUID | None, limit: int) -> list[User]:
    """Return users in the order of their making."""
    statement = select(User).order_by(col(User.id)).limit(limit)
    if after is not None:
        statement = statement.where(col(User.id) > after)
    return list(await tx.scalars(statement))


async def count_administrators(tx: ReadTx) -> int:
    """Return how many may add users and are not disabled."""
    count: int = await tx.scalar(
        select(func.count())
        .select_from(User)
        .where(col(User.role) == Role.ADMINISTRATOR.value, col(User.disabled_at).is_(None))
    )
    return count


async def has_users(tx: ReadTx) -> bool:
    """Say whether anybody is there who can sign in."""
    return await tx.scalar(select(User.id).limit(1)) is not None


async def find_session(
    tx: ReadTx, token: str, *, now: datetime, idle_since: datetime
) -> SignedIn | None:
    """Return whose token this is, unless the session has ended, was idle for too long, or its user is disabled."""
    row: Any = (
        await tx.execute(
            select(User, Session)
            .join(Session, col(Session.user_id) == col(User.id))
            .where(
                col(Session.hash) == digest_of(token),
                col(Session.expires_at) > now,
                col(Session.seen_at) > idle_since,
                col(User.disabled_at).is_(None),
            )
        )
    ).first()
    return SignedIn(row[0], row[1]) if row is not None else None


async def list_sessions(tx: ReadTx, user_id: UUID, *, now: datetime) -> list[Session]:
    """Return where a user is signed in, the latest first."""
    return list(
        await tx.scalars(
            select(Session)
            .where(col(Session.user_id) == user_id, col(Session.expires_at) > now)
            .order_by(col(Session.seen_at).desc())
        )
    )


async def find_link(tx: ReadTx, token: str, *, now: datetime) -> OneTimeLink | None:
    """Return a one-time link that is good."""
    found: OneTimeLink | None = await tx.scalar(
        select(OneTimeLink).where(
            col(OneTimeLink.hash) == digest_of(token), col(OneTimeLink.expires_at) > now
        )
    )
    return found
