"""Lists of calls for somebody who calls elsewhere: given out as a file, and outcomes that come back as one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.phone import queries, usecases
from messaging_svc.phone.errors import NobodyToCall
from messaging_svc.phone.files import Line, Rejected, read_outcomes
from messaging_svc.phone.model import call, call_batch, call_file
from messaging_svc.phone.outcomes import Recorded, Told, record
from messaging_svc.phone.schemas import BatchIn, FileOut
from messaging_svc.phone.usecases import Wanted

_DAYS_AWAY = 14
_CLAIMED = 500
_RECORDED = 1_000


async def give_out(tx: Tx, body: BatchIn) -> UUID:
    """Take up to so many calls for a call centre; nobody else gets them until they are due back.

    Raises:
        NobodyToCall: the gate lets nobody through now.
    """
    now = tx.clock.now()
    batch_id, until = new_id(), body.due_back_at or now + timedelta(days=_DAYS_AWAY)
    await tx.execute(
        insert(call_batch).values(
            id=batch_id,
            campaign_id=body.campaign_id,
            call_centre=body.call_centre,
            calls=0,
            created_by=tx.actor,
            created_at=now,
            due_back_at=until,
        )
    )
    # Whoever calls elsewhere does so later: the hours stand on the list.
    wanted = Wanted(until, body.campaign_id, body.language or "", keeps_hours=False)
    passed: list[UUID] = []
    count = 0
    while count < body.calls:
        limit = min(_CLAIMED, body.calls - count)
        seen, rows = await usecases.claim(tx, wanted, holder=batch_id, passed=passed, limit=limit)
        if rows:
            taken = [(new_id(), row) for row in rows]
            await usecases.open_calls(
                tx, taken, caller=body.call_centre, until=until, batch_id=batch_id, first=count
            )
        count += len(rows)
        passed += seen
        if len(seen) < limit:
            break
    if not count:
        raise NobodyToCall(
            "The gate lets nobody through; GET /v1/calls/lists/{campaign_id} says why"
        )
    await tx.execute(update(call_batch).where(call_batch.c.id == batch_id).values(calls=count))
    tx.audit("calls.give_out", str(batch_id), calls=count, to=body.call_centre)
    return batch_id


async def recall(tx: Tx, batch_id: UUID) -> None:
    """Take a list back: what has no outcome is called by others.

    Raises:
        BatchNotFound: there is no such list.
    """
    batch = await queries.get_batch(tx, batch_id)
    if batch.recalled_at is not None:
        return
    open_calls = await tx.scalars(
        select(call.c.id)
        .where(call.c.batch_id == batch_id, call.c.state == "open")
        .with_for_update()
    )
    await usecases.give_back(tx, list(open_calls), at=tx.clock.now())
    await tx.execute(
        update(call_batch).where(call_batch.c.id == batch_id).values(recalled_at=tx.clock.now())
    )
    tx.audit("calls.recall", str(batch_id))


@dataclass(slots=True)
class _Count:
    taken: int = 0
    already: int = 0


async def take_file(tx: Tx, batch_id: UUID, content: bytes) -> FileOut:
    """Record the outcomes of a file: good rows count, the others come back with their reasons.

    The same file again changes nothing, and a row that was recorded before is counted as such.

    Raises:
        BatchNotFound: there is no such list.
        FileUnreadable: it is no table, or lacks a column.
    """
    await queries.get_batch(tx, batch_id)
    digest = hashlib.sha256(content).digest()
    lines, rejected = read_outcomes(content)
    file_id = new_id()
    mine = await tx.scalar(
        upsert(call_file)
        .values(
            id=file_id,
            batch_id=batch_id,
            sha256=digest,
            rows=len(lines) + len(rejected),
            taken=0,
            already=0,
            rejected=[],
            sent_by=tx.actor,
            sent_at=tx.clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["batch_id", "sha256"])
        .returning(call_file.c.id)
    )
    if mine is None:
        return await queries.get_file(tx, batch_id, sha256=digest)
    count = _Count()
    for start in range(0, len(lines), _RECORDED):
        rejected += await _record(tx, batch_id, lines[start : start + _RECORDED], count)
    told = [
        {"row": one.row, "call_id": one.call_id, "message": one.message}
        for one in sorted(rejected, key=lambda one: one.row)
    ]
    await tx.execute(
        update(call_file)
        .where(call_file.c.id == file_id)
        .values(taken=count.taken, already=count.already, rejected=told)
    )
    tx.audit("calls.take_file", str(batch_id), taken=count.taken, rejected=len(told))
    found = await queries.get_file(tx, batch_id, file_id=file_id)
    return found.model_copy(update={"is_repeat": False})


async def _record(tx: Tx, batch_id: UUID, lines: Sequence[Line], count: _Count) -> list[Rejected]:
    told = [
        Told(one.call_id, one.outcome, one.note, one.learned, one.follow_up, one.call_back_at)
        for one in lines
    ]
    rejected = []
    for line, answer in zip(lines, await record(tx, told, batch_id=batch_id), strict=True):
        if not isinstance(answer, Recorded):
            rejected.append(Rejected(line.row, str(line.call_id), answer.detail))
        elif answer.is_new:
            count.taken += 1
        else:
            count.already += 1
    return rejected
