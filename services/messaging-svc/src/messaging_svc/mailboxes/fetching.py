"""Fetch mails from a mailbox: each once, marked after what follows from it is committed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec, Protocol, TypeVar

from sqlalchemy import case, delete, literal, select
from sqlalchemy.dialects.postgresql import insert

from kantis_kit import observability
from kantis_kit.db.database import is_away
from kantis_kit.tx import Scope, Tx, read, write
from messaging_svc.mailboxes.imap import Account, Mailbox, MailboxAway
from messaging_svc.mailboxes.model import mailbox_mail, mailbox_state

log = observability.get_logger(__name__)

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")

MAX_MAIL_BYTES = 30 * 1024 * 1024
"""A larger mail is read that far."""
_ACTOR = "mailbox"
_GOODBYE_SECONDS = 2.0
_REMEMBERED = timedelta(days=90)


class Reading(Protocol):
    """A mail that comes in parts, and what follows from it."""

    def feed(self, part: bytes) -> None:
        """Take the next part."""
        ...

    async def take(self, tx: Tx) -> None:
        """Do what follows from the whole; called once, whatever breaks."""
        ...


async def fetch(
    scope: Scope, account: Account, begin: Callable[[], Reading], *, pause_seconds: float
) -> None:
    """Look into a mailbox, for ever."""
    while True:
        try:
            await _look(scope, account, begin)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("mailbox.database_away", error=type(error).__name__)
        await asyncio.sleep(pause_seconds)


async def _look(scope: Scope, account: Account, begin: Callable[[], Reading]) -> None:
    problem, mailbox = "", Mailbox(account)
    try:
        await _in_thread(mailbox, mailbox.open)
        for uid in await _in_thread(mailbox, mailbox.unread):
            await _take_one(scope, mailbox, uid, begin(), account)
        await _in_thread(mailbox, mailbox.leave)
    except MailboxAway as error:
        problem = str(error)
        log.warning("mailbox.away", mailbox=account.host, error=problem)
    finally:
        mailbox.close()
    async with write(scope, actor=_ACTOR) as tx:
        await _note(tx, account, problem)


async def _in_thread(
    mailbox: Mailbox,
    call: Callable[ParamsT, ResultT],
    *values: ParamsT.args,
    **more: ParamsT.kwargs,
) -> ResultT:
    """Call what waits for the server; when we are stopped meanwhile, it ends first."""
    waiting = asyncio.ensure_future(asyncio.to_thread(call, *values, **more))
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        mailbox.wake()
        await asyncio.wait({waiting}, timeout=_GOODBYE_SECONDS)
        raise


async def _take_one(
    scope: Scope, mailbox: Mailbox, uid: int, mail: Reading, account: Account
) -> None:
    """Take a mail, or only mark it when it was taken before and that was not noted at the server.

    Raises:
        MailboxAway: the server went away; the mail is looked at again.
    """
    place = {"mailbox": account.name, "uid_validity": mailbox.uid_validity, "uid": uid}
    if not await _is_known(scope, place):
        size = await _in_thread(mailbox, _read, mailbox, uid, mail)
        if size > MAX_MAIL_BYTES:
            log.warning("mailbox.large_mail", uid=uid, bytes=size)
        async with write(scope, actor=_ACTOR) as tx:
            new = await tx.scalar(
                insert(mailbox_mail)
                .values(**place, bytes=size, taken_at=tx.clock.now())
                .on_conflict_do_nothing()
                .returning(mailbox_mail.c.uid)
            )
            if new is not None and size:
                await mail.take(tx)
    await _in_thread(mailbox, mailbox.finish, uid)


async def _is_known(scope: Scope, place: dict[str, object]) -> bool:
    async with read(scope) as tx:
        found = await tx.scalar(
            select(literal(1)).where(
                *(mailbox_mail.c[name] == value for name, value in place.items())
            )
        )
    return found is not None


def _read(mailbox: Mailbox, uid: int, mail: Reading) -> int:
    size = mailbox.size(uid)
    for part in mailbox.parts(uid, limit=min(size, MAX_MAIL_BYTES)):
        mail.feed(part)
    return size


async def _note(tx: Tx, account: Account, problem: str) -> None:
    now = tx.clock.now()
    statement = insert(mailbox_state).values(
        mailbox=account.name,
        looked_at=now,
        problem=problem[:300],
        away_since=now if problem else None,
    )
    told, held = statement.excluded, mailbox_state.c
    since = case((told.problem == "", None), (held.problem != "", held.away_since), else_=now)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["mailbox"],
            set_={"looked_at": now, "problem": told.problem, "away_since": since},
        )
    )


async def forget_old(tx: Tx) -> None:
    """Forget which mails were taken long ago: they are marked at the server."""
    old = mailbox_mail.c.taken_at < tx.clock.now() - _REMEMBERED
    await tx.execute(delete(mailbox_mail).where(old))
