"""Calls: taken through the gate, given back, ended; and who is put on the list by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.pulled import decide
from messaging_svc.dispatch.replies import CallWish, plan_calls
from messaging_svc.dispatch.sql import LOCK_PERSONS
from messaging_svc.openings.usecases import WAKE
from messaging_svc.phone import queries, sql
from messaging_svc.phone.errors import CallTaken, OutcomeFixed, OutcomeNotFound
from messaging_svc.phone.model import call, call_outcome
from messaging_svc.phone.schemas import TakeIn, WordIn
from messaging_svc.phone.vocabulary import BUILTIN
from messaging_svc.quarantine.epoch_file import read_epoch
from messaging_svc.settings import MessagingSettings

_LOOKS = 30
"""So many calls that turn out not to be allowed are decided on for one that is; the next pass decides on the rest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls somebody wants to take, and for how long."""

    until: datetime
    campaign_id: UUID | None = None
    language: str = ""
    keeps_hours: bool = True
    """Whether they call now; a list is called later, within hours that stand on it."""


async def take_next(tx: Tx, body: TakeIn) -> UUID | None:
    """Take the next call that the gate lets through now, under a lease; None when there is none."""
    now = tx.clock.now()
    wanted = Wanted(
        now + timedelta(minutes=body.lease_minutes), body.campaign_id, body.language or ""
    )
    call_id = new_id()
    passed: list[UUID] = []
    for _ in range(_LOOKS):
        seen, rows = await claim(tx, wanted, holder=call_id, passed=passed, limit=1)
        if rows:
            await open_calls(tx, [(call_id, rows[0])], caller=body.caller, until=wanted.until)
            return call_id
        if not seen:
            return None
        passed += seen
    return None


async def claim(
    tx: Tx, wanted: Wanted, *, holder: UUID, passed: Sequence[UUID], limit: int
) -> tuple[list[UUID], list[Row[Any]]]:
    """Ask the gate about the next calls; return which were looked at, and those that are the holder's now.

    Their persons stay locked until this commits: whoever says no comes before or after.
    """
    settings = tx.settings(MessagingSettings)
    found = await tx.execute(
        sql.CANDIDATES,
        {
            "now": tx.clock.now(),
            "epoch": read_epoch(settings.data_dir),
            "passed": list(passed),
            "keeps_hours": wanted.keeps_hours,
            "campaign": wanted.campaign_id,
            "language": wanted.language,
            "limit": limit,
        },
    )
    rows = found.all()
    persons = sorted({row.person_id for row in rows if row.is_marketing and row.person_id})
    locked = set(await tx.scalars(LOCK_PERSONS, {"persons": persons})) if persons else set()
    known = set(await queries.known_persons(tx, persons))
    # Somebody whose card is locked is being decided on elsewhere; who has none waits for it.
    mine = [row.id for row in rows if row.person_id in locked or row.person_id not in known]
    decided = await decide(
        tx, sql.CALLS, mine, holder=holder, until=wanted.until, keeps_hours=wanted.keeps_hours
    )
    order = {row.id: place for place, row in enumerate(rows)}
    claimed = sorted(
        (row for row in decided if row.state == State.CLAIMED), key=lambda row: order[row.id]
    )
    return [row.id for row in rows], claimed


async def open_calls(
    tx: Tx,
    taken: Sequence[tuple[UUID, Row[Any]]],
    *,
    caller: str,
    until: datetime,
    batch_id: UUID | None = None,
    first: int = 0,
) -> None:
    """Write down who has taken which calls; whoever had them before has them no more."""
    now = tx.clock.now()
    await tx.execute(sql.LAPSE, {"messages": [row.id for _, row in taken], "now": now})
    await tx.execute(
        insert(call),
        [
            {
                "id": call_id,
                "message_id": row.id,
                "fence": row.fence,
                "person_id": row.person_id,
                "batch_id": batch_id,
                "position": first + place,
                "caller": caller,
                "phone": row.phone,
                "attempt": row.attempts + 1,
                "taken_at": now,
                "held_until": until,
                "state": "open",
            }
            for place, (call_id, row) in enumerate(taken)
        ],
    )


async def release(tx: Tx, call_id: UUID, *, wait_minutes: int = 0) -> None:
    """Give a call back without having called.

    Raises:
        CallNotFound: there is no such call.
        CallTaken: it has ended, or is somebody else's.
    """
    found = await queries.get_call_row(tx, call_id, lock=True)
    if found.state == "released":
        return
    if found.state != "open":
        raise CallTaken(f"The call is {found.state}; there is nothing to give back")
    await give_back(tx, [call_id], at=tx.clock.now() + timedelta(minutes=wait_minutes))


async def give_back(tx: Tx, calls: Sequence[UUID], *, at: datetime) -> None:
    """Let others have these calls from a moment on."""
    await tx.execute(sql.GIVE_BACK, {"calls": list(calls), "at": at})
    await tx.execute(
        update(call)
        .where(call.c.id.in_(calls), call.c.state == "open")
        .values(state="released", ended_at=tx.clock.now())
    )
    await tx.execute(WAKE)


async def put_on_list(tx: Tx, wishes: Sequence[CallWish]) -> None:
    """Have people called who asked for it; each wish makes one call, however often it is told.

    It stands on no campaign's list: a caller who names no campaign gets it. What is asked for is not advertising, so that
    it waits for no permission; it is called from the wished moment on.
    """
    await plan_calls(tx, wishes)


async def save_word(tx: Tx, code: str, body: WordIn) -> None:
    """Keep a word of the company's own for how calls end.

    Raises:
        OutcomeFixed: the word comes with the product.
    """
    _refuse_builtin(code)
    values = {
        "effect": body.effect.value,
        "words": {language.value: word for language, word in body.words.items()},
        "wait_minutes": body.wait_minutes,
        "changed_at": tx.clock.now(),
    }
    await tx.execute(
        upsert(call_outcome)
        .values(code=code, **values)
        .on_conflict_do_update(index_elements=["code"], set_=values)
    )
    tx.audit("calls.save_outcome", code)


async def drop_word(tx: Tx, code: str) -> None:
    """Take a word of the company's own out of use; calls that ended with it keep it.

    Raises:
        OutcomeFixed: the word comes with the product.
        OutcomeNotFound: there is no such word.
    """
    _refuse_builtin(code)
    gone = await tx.scalar(
        delete(call_outcome).where(call_outcome.c.code == code).returning(call_outcome.c.code)
    )
    if gone is None:
        raise OutcomeNotFound(f"No call can end with {code!r}")
    tx.audit("calls.drop_outcome", code)


def _refuse_builtin(code: str) -> None:
    if code in BUILTIN:
        raise OutcomeFixed(
            f"{code} comes with the product; choose another code for a word of yours"
        )


__all__ = [
    "CallWish",
    "Wanted",
    "claim",
    "drop_word",
    "give_back",
    "open_calls",
    "put_on_list",
    "release",
    "save_word",
    "take_next",
]
