"""Add users, change them, set their passwords, sign them in and out."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from gateway.keys.errors import MoreThanYouHave
from gateway.keys.roles import Role, scopes_of
from gateway.users import queries
from gateway.users.errors import AddressTaken, LastAdministrator, LinkRefused
from gateway.users.model import OneTimeLink, Session, User, digest_of, make_token
from gateway.users.schemas import UserIn, UserPatch, UserRole
from kantis_contracts.values import Language
from kantis_kit.auth.principal import Principal
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

LINK_LASTS = timedelta(days=3)
SEEN_NOTED_EVERY = timedelta(minutes=1)
MAX_AGENT = 200
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(func.hashtext("console_user")))
"""Held while users are added and changed: two who change at once must not leave no administrator."""


async def add_user(tx: Tx, given: UserIn, *, caller: Principal | None = None) -> tuple[User, str]:
    """Add a user; return it and the token of the link that sets its password.

    Args:
        tx: the transaction.
        given: who it is.
        caller: who asks through the API; None is the operator at the command line.

    Raises:
        AddressTaken: there is a user with this address.
        MoreThanYouHave: the role may do what the caller may not.
    """
    _check_gives(given.role, caller)
    await tx.execute(_ONE_AT_A_TIME)
    if await queries.find_by_email(tx, given.email) is not None:
        raise AddressTaken("Take another address, or change the user who has this one")
    user = User(
        id=new_id(),
        email=given.email.lower(),
        name=given.name,
        role=given.role.value,
        language=given.language.value,
        created_at=tx.clock.now(),
        created_by=tx.actor,
    )
    tx.add(user)
    await tx.flush()  # the link refers to the row
    tx.audit("user.added", str(user.id), role=user.role)
    return user, (await make_link(tx, user.id))[0]


def _check_gives(role: UserRole, caller: Principal | None) -> None:
    if caller is not None and not all(caller.may(scope) for scope in scopes_of(role)):
        raise MoreThanYouHave(f"You may not do all that a user of the role {role} may")


async def change_user(
    tx: Tx, user_id: UUID, patch: UserPatch, *, caller: Principal | None = None
) -> User:
    """Change a user. Another role and a disabling end all sessions of the user.

    Raises:
        UserNotFound: there is none.
        MoreThanYouHave: the role may do what the caller may not.
        LastAdministrator: nobody would be left who may add users.
    """
    if patch.role is not None:
        _check_gives(patch.role, caller)
    await tx.execute(_ONE_AT_A_TIME)
    user = await queries.get_user(tx, user_id)
    was = (user.role, user.disabled_at is not None)
    user.name = patch.name or user.name
    user.role = patch.role.value if patch.role else user.role
    user.language = patch.language.value if patch.language else user.language
    if patch.is_disabled is not None and patch.is_disabled != was[1]:
        user.disabled_at = tx.clock.now() if patch.is_disabled else None
    if was != (user.role, user.disabled_at is not None):
        await tx.flush()  # the count looks at what is now
        if was == (Role.ADMINISTRATOR, False) and not await queries.count_administrators(tx):
            raise LastAdministrator("Make somebody else administrator first")
        await end_sessions(tx, user_id)
    tx.audit("user.changed", str(user.id), role=user.role, is_disabled=user.disabled_at is not None)
    return user


async def choose_language(tx: Tx, user_id: UUID, language: str) -> None:
    """Change in which language a user reads; anything else than one of ours changes nothing."""
    if language in set(Language):
        (await queries.get_user(tx, user_id)).language = language


async def make_link(tx: Tx, user_id: UUID | None) -> tuple[str, OneTimeLink]:
    """Make a one-time link and return its token; earlier links of the same user are not good any more.

    Without a user it makes the first one, who is an administrator.
    """
    same = (
        col(OneTimeLink.user_id).is_(None)
        if user_id is None
        else col(OneTimeLink.user_id) == user_id
    )
    await tx.execute(delete(OneTimeLink).where(same))
    token, digest = make_token()
    link = OneTimeLink(
        id=new_id(), user_id=user_id, hash=digest, expires_at=tx.clock.now() + LINK_LASTS
    )
    tx.add(link)
    tx.audit("user.link_made", str(user_id or "first user"))
    return token, link


async def make_first_link(tx: Tx) -> str | None:
    """Return the token of a link that makes the first user, or None when there is somebody already."""
    return None if await queries.has_users(tx) else (await make_link(tx, None))[0]


async def use_link(
    tx: Tx, token: str, stored_password: str, *, email: str = "", name: str = ""
) -> User:
    """Set a password by a one-time link; ends every session of the user.

    Args:
        tx: the transaction.
        token: of the link.
        stored_password: what is stored of the new password.
        email: of the first user; others have theirs.
        name: likewise.

    Raises:
        LinkRefused: unknown, used or expired.
    """
    now = tx.clock.now()
    await tx.execute(_ONE_AT_A_TIME)
    used = (
        await tx.execute(
            delete(OneTimeLink)
            .where(col(OneTimeLink.hash) == digest_of(token), col(OneTimeLink.expires_at) > now)
            .returning(col(OneTimeLink.user_id))
        )
    ).first()
    if used is None:
        raise LinkRefused("Ask an administrator for another one")
    if used.user_id is None:
        if await queries.has_users(tx):
            raise LinkRefused("The first user is there already")
        user, _ = await add_user(
            tx, UserIn(email=email, name=name, role=UserRole.ADMINISTRATOR, language=Language.EN)
        )
        await tx.execute(delete(OneTimeLink))
    else:
        user = await queries.get_user(tx, used.user_id)
    user.password = stored_password
    await end_sessions(tx, user.id)
    tx.audit("user.password_set", str(user.id))
    return user


async def begin_session(tx: Tx, user: User, *, agent: str, lasts: timedelta) -> str:
    """Sign a user in; return the token for the browser."""
    now = tx.clock.now()
    token, digest = make_token()
    session = Session(
        id=new_id(),
        user_id=user.id,
        hash=digest,
        agent=agent[:MAX_AGENT],
        created_at=now,
        seen_at=now,
        expires_at=now + lasts,
    )
    tx.add(session)
    tx.audit("user.signed_in", str(user.id))
    await tx.execute(delete(Session).where(col(Session.expires_at) <= now))
    return token


async def note_seen(tx: Tx, session_id: UUID) -> None:
    """Remember that a session is in use."""
    await tx.execute(
        update(Session).where(col(Session.id) == session_id).values(seen_at=tx.clock.now())
    )


async def end_sessions(tx: Tx, user_id: UUID, session_id: UUID | None = None) -> int:
    """End one session of a user, or all; return how many there were."""
    statement = delete(Session).where(col(Session.user_id) == user_id)
    if session_id is not None:
        statement = statement.where(col(Session.id) == session_id)
    ended = len((await tx.execute(statement.returning(col(Session.id)))).all())
    if ended:
        tx.audit("user.sessions_ended", str(user_id), sessions=ended)
    return ended
