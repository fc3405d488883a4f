"""How calls end: many at once, each on its own merits; what follows is in force when this is committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, update

from kantis_contracts.messaging import AddressOutcome
from kantis_contracts.values import Channel
from kantis_kit.errors import AppError
from kantis_kit.tx import Tx
from messaging_svc.addresses import phone_hash
from messaging_svc.bounces.events import addresses_reported
from messaging_svc.caps.spending import count_spending, days_of
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.queries import sources_of
from messaging_svc.openings.usecases import WAKE
from messaging_svc.phone import events, queries, sql
from messaging_svc.phone.errors import CallNotFound, CallTaken, OutcomeInvalid
from messaging_svc.phone.model import call
from messaging_svc.phone.vocabulary import Effect, Word
from messaging_svc.settings import MessagingSettings
from messaging_svc.tracking import usecases as tracking

FARTHEST = timedelta(days=366)
"""Nobody is called back later than this: until then, everything has changed."""
_UNKNOWN = "No call has this id; take it as it stands on the list"
_LIVE = (State.CLAIMED.value, State.PLANNED.value)
_NOT_REACHED = {Effect.WRONG_NUMBER: "wrong_number", Effect.GONE: "gone"}


@dataclass(frozen=True, slots=True)
class Told:
    """How a call ended, as somebody tells it."""

    call_id: UUID
    outcome: str
    note: str = ""
    learned: Sequence[Mapping[str, Any]] = ()
    follow_up: str = ""
    call_back_at: datetime | None = None
    """Without an offset it is the time where the person is."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An outcome that counts, and how the message stands now; one that is not new was recorded before."""

    effect: Effect
    state: str
    next_at: datetime | None
    is_new: bool


@dataclass(slots=True)
class _End:
    """A call that ends now."""

    told: Told
    row: Row[Any]
    word: Word
    call_back_at: datetime | None
    state: str = State.ACCEPTED.value
    rule: str = ""
    next_at: datetime | None = field(default=None)


async def record(
    tx: Tx, items: Sequence[Told], *, batch_id: UUID | None = None
) -> list[Recorded | AppError]:
    """Record how calls ended; what cannot be taken is answered with why, and harms nothing else.

    What was recorded in the same words before is done already. Whoever wants no calls gets none once this is committed.
    With `batch_id`, calls that are not of that list are refused.
    """
    rows = await queries.lock_calls(tx, {one.call_id for one in items})
    words = await queries.words(tx)
    answers: list[Recorded | AppError] = []
    ends: dict[UUID, _End] = {}
    for told in items:
        row = rows.get(told.call_id)
        if row is not None and batch_id is not None and row.batch_id != batch_id:
            row = None
        answer = _known(told, row, ends)
        if answer is None and row is not None:
            try:
                ends[told.call_id] = end = _end(tx, told, row, words)
            except OutcomeInvalid as problem:
                answer = problem
            else:
                answer = Recorded(end.word.effect, end.state, end.next_at, is_new=True)
        answers.append(answer or CallNotFound(_UNKNOWN))
    await _write(tx, list(ends.values()))
    return answers


def _known(
    told: Told, row: Row[Any] | None, ends: Mapping[UUID, _End]
) -> Recorded | AppError | None:
    """Return what can be said of a call that does not end now."""
    if row is None:
        return CallNotFound(_UNKNOWN)
    earlier = ends.get(told.call_id)
    ended_with = earlier.told.outcome if earlier else row.outcome
    if ended_with == told.outcome:
        effect = earlier.word.effect if earlier else Effect(row.effect)
        return Recorded(effect, row.message_state, row.next_at, is_new=False)
    if ended_with:
        return CallTaken(f"The call has ended already, with {ended_with}")
    if row.message_fence != row.fence or row.message_state not in _LIVE:
        return CallTaken("The lease ran out, and somebody else has taken the call since")
    if row.state == "released":
        return CallTaken("The call was given back without having been called")
    return None


def _invalid(name: str, message: str) -> OutcomeInvalid:
    return OutcomeInvalid(
        f"{name}: {message}", errors=[{"in": "body", "field": name, "message": message}]
    )


def _end(tx: Tx, told: Told, row: Row[Any], words: Mapping[str, Word]) -> _End:
    word = words.get(told.outcome)
    if word is None:
        raise _invalid("outcome", f"{told.outcome!r} is none of {', '.join(sorted(words))}")
    back = None
    if word.effect is Effect.CALL_BACK:
        back = _moment(tx.clock.now(), told, row)
    elif told.call_back_at is not None:
        raise _invalid(
            "call_back_at", f"{told.outcome} names no time; use call_back, or leave it out"
        )
    end = _End(told, row, word, back)
    if word.effect is Effect.CALL_BACK:
        end.state, end.next_at = State.PLANNED.value, back
    elif word.effect in _NOT_REACHED:
        end.state, end.rule = State.FAILED.value, _NOT_REACHED[word.effect]
    elif word.effect is Effect.AGAIN:
        if row.attempts + 1 >= tx.settings(MessagingSettings).call_attempts:
            end.state, end.rule = State.FAILED.value, "not_reached"
        else:
            end.state = State.PLANNED.value
            end.next_at = tx.clock.now() + timedelta(minutes=word.wait_minutes)
    return end


def _moment(now: datetime, told: Told, row: Row[Any]) -> datetime:
    """Return when to call back; a time without an offset is that of the person's own clock."""
    given = told.call_back_at
    if given is None:
        raise _invalid("call_back_at", "say when to call back, such as 2026-11-25T14:30")
    try:
        at = (given if given.tzinfo else given.replace(tzinfo=ZoneInfo(row.time_zone))).astimezone(
            UTC
        )
    except OverflowError as error:
        raise _invalid("call_back_at", "lies outside of all calendars") from error
    if at <= now:
        raise _invalid("call_back_at", f"lies in the past: it is {now:%Y-%m-%dT%H:%MZ} now")
    if at > now + FARTHEST:
        raise _invalid("call_back_at", "is more than a year away")
    if row.not_after is not None and at >= row.not_after:
        raise _invalid("call_back_at", f"the campaign ends at {row.not_after:%Y-%m-%dT%H:%MZ}")
    return at


async def _write(tx: Tx, ends: Sequence[_End]) -> None:
    if not ends:
        return
    now = tx.clock.now()
    # Persons are locked before messages, as by everybody who hears of them.
    await _stop(tx, [one for one in ends if one.word.effect is Effect.STOP])
    await _report(tx, [one for one in ends if one.word.effect is Effect.WRONG_NUMBER])
    ends = sorted(ends, key=lambda one: one.row.message_id)
    await tx.execute(
        sql.SETTLE,
        {
            "ids": [one.row.message_id for one in ends],
            "fences": [one.row.fence for one in ends],
            "states": [one.state for one in ends],
            "rules": [one.rule for one in ends],
            "reasons": [one.told.outcome for one in ends],
            "taken": [one.row.taken_at for one in ends],
            "next": [one.next_at for one in ends],
            "now": now,
        },
    )
    told = [_row(one) for one in ends]
    await tx.execute(
        update(call).where(call.c.id == bindparam("call_id")).values(
            {name: bindparam(f"new_{name}") for name in _KEPT} | {"state": "ended", "ended_at": now}
        ),
        [{"call_id": one["id"], **{f"new_{name}": one[name] for name in _KEPT}} for one in told],
    )  # fmt: skip
    today, _ = days_of(now, tx.settings(MessagingSettings))
    await count_spending(tx, [one.row.message_id for one in ends if not one.row.attempts], today)
    sources = await sources_of(tx, {one.row.source_id for one in ends if one.row.source_id})
    tx.stage(events.calls_ended(told, sources, at=now))
    await tx.execute(WAKE)


_KEPT = ("outcome", "effect", "note", "follow_up", "learned", "call_back_at")


def _row(end: _End) -> dict[str, Any]:
    row, told = end.row, end.told
    return {
        "id": row.id,
        "message_id": row.message_id,
        "person_id": row.person_id,
        "source_id": row.source_id,
        "attempt": row.attempt,
        "caller": row.caller,
        "taken_at": row.taken_at,
        "outcome": told.outcome,
        "effect": end.word.effect.value,
        "note": told.note,
        "follow_up": told.follow_up,
        "learned": [dict(one) for one in told.learned],
        "call_back_at": end.call_back_at,
    }


async def _stop(tx: Tx, ends: Sequence[_End]) -> None:
    """Take the no of people, as an unsubscribe does; of a number that nobody has, the number itself."""
    for person_id in sorted({one.row.person_id for one in ends if one.row.person_id}):
        await tracking.stop_channel(tx, person_id, Channel.PHONE, source="call")
    nobody = {phone_hash(one.row.phone) for one in ends if one.row.person_id is None}
    await tracking.suppress_hashes(tx, nobody, "objection", "said no in a call")


async def _report(tx: Tx, ends: Sequence[_End]) -> None:
    """Tell that numbers are not those of the people whom we called, and call them no more."""
    numbers = {phone_hash(one.row.phone) for one in ends}
    await tracking.suppress_hashes(tx, numbers, "hard_bounce", "wrong number in a call")
    now = tx.clock.now()
    told = [
        (one.row.id, one.row.person_id, one.row.message_id, Channel.PHONE.value, AddressOutcome.HARD_BOUNCE, now)
        for one in ends
        if one.row.person_id
    ]  # fmt: skip
    if told:
        tx.stage(addresses_reported(told))
