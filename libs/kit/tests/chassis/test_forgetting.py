"""Who is forgotten: rows, what is in transit and what comes late; and what is told of them."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table, Text, Uuid, text

from kantis_contracts.base import Envelope
from kantis_kit import forgetting, gathering, scrubbing
from kantis_kit.ids import new_id
from kantis_kit.parked import decode, encode
from kantis_kit.testing.probe import SPEC
from kantis_kit.tx import write

METADATA = MetaData()
NOTE = Table(
    "note",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("words", Text, nullable=False),
)
KIND = "probe.thing.made.v1"
BLANKS = {KIND: {"name": ""}}


@dataclass(frozen=True)
class Wanted:
    erasure_id: UUID
    person_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Wish:
    dossier_id: UUID
    person_ids: tuple[UUID, ...]


async def empty(tx, ids, counts):
    await counts.delete(tx, [NOTE], ids)


async def leave(_tx, _ids, _counts):
    pass


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC, start=False)


async def forget(rig, *requests, empty=empty, kept=None, is_reminder=False):
    async with write(rig.service.scope) as tx:
        return await forgetting.forget(
            tx,
            requests,
            empty=empty,
            metadata=METADATA,
            kept=kept or {},
            blanks=BLANKS,
            is_reminder=is_reminder,
        )


async def note(rig, *person_ids):
    async with write(rig.service.scope) as tx:
        for person_id in person_ids:
            await tx.execute(NOTE.insert().values(id=new_id(), person_id=person_id, words="tall"))


async def noted(rig):
    pool = await rig.service.database.pool()
    return {row["person_id"] for row in await pool.fetch("SELECT person_id FROM note")}


async def sweep(rig, *, is_whole=False):
    async with write(rig.service.scope) as tx:
        await forgetting.sweep(tx, empty=empty, blanks=BLANKS, is_whole=is_whole)


async def test_each_request_is_answered_with_what_went_and_what_stays_and_why(rig):
    kari, per, other = new_id(), new_id(), new_id()
    await note(rig, kari, kari, per, other)
    first, second = Wanted(new_id(), (kari,)), Wanted(new_id(), (per, new_id()))

    stayed = await forget(rig, first, second, empty=leave, kept={"note": "the law", "gone": "no"})
    went = await forget(rig, first, second, kept={"note": "the law"})

    assert [(first.erasure_id, 2), (second.erasure_id, 1)] == [
        (one.erasure_id, one.kept[0].rows) for one in stayed
    ]
    assert {("note", "the law")} == {
        (kept.kind, kept.reason) for one in stayed for kept in one.kept
    }
    assert [{"note": 2}, {"note": 1}] == [one.removed for one in went]
    assert [(), ()] == [one.kept for one in went]
    assert {rig.clock.now()} == {one.done_at for one in went}
    assert {other} == await noted(rig)


async def test_a_reminder_is_answered_for_the_unknown_and_for_whom_something_was_found(rig):
    kari, per, ola = new_id(), new_id(), new_id()
    known, found, unknown = (Wanted(new_id(), (one,)) for one in (kari, per, ola))
    await forget(rig, known, found)
    await note(rig, per)

    told = await forget(rig, known, found, unknown, is_reminder=True)

    assert [found.erasure_id, unknown.erasure_id] == [one.erasure_id for one in told]


async def test_what_was_written_late_is_swept_at_once_or_by_the_pass_over_everybody(
    rig, monkeypatch
):
    monkeypatch.setattr(forgetting, "PAGE", 2)
    long_ago, lately = [new_id() for _ in range(3)], [new_id() for _ in range(5)]
    other = new_id()
    await forget(rig, Wanted(new_id(), tuple(long_ago)))
    rig.clock.advance(forgetting.LATE + timedelta(seconds=1))
    await forget(rig, Wanted(new_id(), tuple(lately)))
    await note(rig, *long_ago, *lately, other)

    await sweep(rig)
    after_a_minute = await noted(rig)
    await sweep(rig, is_whole=True)

    assert {*long_ago, other} == after_a_minute
    assert {other} == await noted(rig)


async def test_a_pass_is_left_out_while_another_runs(rig):
    kari = new_id()
    await forget(rig, Wanted(new_id(), (kari,)))
    await note(rig, kari)

    async with write(rig.service.scope) as tx:
        await forgetting.sweep(tx, empty=leave, blanks=BLANKS, is_whole=True)
        await sweep(rig)
        assert {kari} == await noted(rig)

    await sweep(rig)
    assert set() == await noted(rig)


async def test_who_was_forgotten_lately_is_looked_for_each_minute_and_everybody_every_six_hours(
    rig_for,
):
    passes = []

    async def look(_tx, *, is_whole=False):
        passes.append(is_whole)

    rig = await rig_for(replace(SPEC, jobs=list(forgetting.sweeps(look))), start=False)
    await rig.service.timers.step()
    passes.clear()

    for minutes in (1, 1, 6 * 60 - 3, 1):
        rig.clock.advance(timedelta(minutes=minutes))
        await rig.service.timers.step()

    assert [False, False, False, False, True] == passes


def message(rig, *person_ids):
    items = [{"id": str(id_), "name": "Kari"} for id_ in person_ids]
    return Envelope(
        id=new_id(),
        type=KIND,
        source="probe",
        occurred_at=rig.clock.now(),
        recorded_at=rig.clock.now(),
        correlation_id=new_id(),
        data=json.dumps({"items": items}).encode(),
    )


async def put_in_transit(rig, person_id):
    """Let a person stand in a message that waits, one that cannot be read, an event that leaves, and an answer."""
    other = new_id()
    envelope = message(rig, person_id, other)
    rows = {"good": encode(envelope), "bad": f"no JSON {person_id}".encode()}
    async with write(rig.service.scope) as tx:
        for queue, raw in rows.items():
            await tx.execute(
                text(
                    "INSERT INTO delivery (queue, event_id, state, type, envelope, first_at, last_at)"
                    " VALUES (:queue, :id, 'parked', :type, :raw, :now, :now)"
                ),
                {
                    "queue": queue,
                    "id": new_id(),
                    "type": KIND,
                    "raw": raw,
                    "now": rig.clock.now(),
                },
            )
        await tx.execute(
            text(
                "INSERT INTO outbox (id, type, occurred_at, recorded_at, correlation_id, data)"
                " VALUES (:id, :type, :now, :now, :id, :data)"
            ),
            {"id": new_id(), "type": KIND, "now": rig.clock.now(), "data": envelope.data},
        )
        await tx.execute(
            text(
                "INSERT INTO idempotency (caller, route, key, request_hash, status, headers, body, stored_at)"
                r" VALUES ('c', 'r', :key, '\x00', 200, '{}', :body, :now)"
            ),
            {"key": str(new_id()), "body": envelope.data, "now": rig.clock.now()},
        )
    return other


async def in_transit(rig):
    """Return who stands there with a name, by place."""
    pool = await rig.service.database.pool()
    named = defaultdict(set)
    for row in await pool.fetch("SELECT envelope FROM delivery"):
        envelope = decode(row["envelope"])
        items = (
            [{"id": "", "name": "?"}] if envelope is None else json.loads(envelope.data)["items"]
        )
        named["waiting"] |= {one["id"] for one in items if one["name"]}
    for row in await pool.fetch("SELECT data FROM outbox"):
        named["leaving"] |= {one["id"] for one in json.loads(row["data"])["items"] if one["name"]}
    for row in await pool.fetch("SELECT body FROM idempotency"):
        items = json.loads(row["body"])["items"] if row["body"] else []
        named["answers"] |= {one["id"] for one in items}
    return dict(named)


@pytest.mark.parametrize("others", [0, scrubbing.FEW], ids=["searched", "paged through"])
async def test_what_is_in_transit_is_emptied_of_the_forgotten_however_many_they_are(
    rig, others, monkeypatch
):
    monkeypatch.setattr(scrubbing, "PAGE", 2)
    kari = new_id()
    beside = [str(await put_in_transit(rig, kari)) for _ in range(3)]
    untouched = new_id()
    strangers = {str(await put_in_transit(rig, untouched)), str(untouched)}

    (told,) = await forget(rig, Wanted(new_id(), (kari, *(new_id() for _ in range(others)))))

    assert {"answer": 3, "message_leaving": 3, "message_waiting": 6} == told.removed
    assert {
        "waiting": {*beside, *strangers, ""},  # the unreadable message that names a stranger stays
        "leaving": {*beside, *strangers},
        "answers": strangers,
    } == await in_transit(rig)


async def test_a_message_that_came_to_wait_later_is_emptied_by_the_next_pass(rig):
    kari = new_id()
    await forget(rig, Wanted(new_id(), (kari,)))
    other = await put_in_transit(rig, kari)

    await sweep(rig)

    assert {str(other)} == (await in_transit(rig))["waiting"]


def test_tables_that_name_a_person_are_found_those_first_that_refer_to_others():
    metadata = MetaData()
    Table("one", metadata, Column("id", Uuid, primary_key=True), Column("person_id", Uuid))
    Table("two", metadata, Column("one_id", ForeignKey("one.id")), Column("person_id", Uuid))
    Table("kept", metadata, Column("person_id", Uuid))
    Table("other", metadata, Column("id", Uuid))

    tables = forgetting.tables_naming(metadata, without={"kept"})

    assert ["two", "one"] == [table.name for table in tables]


async def test_who_asks_is_answered_in_parts_that_together_are_everything(rig, monkeypatch):
    monkeypatch.setattr(gathering, "PART_BYTES", 200)
    kari = new_id()
    await note(rig, *[kari] * 7, new_id())
    asked = Wish(new_id(), (kari,))
    told = []

    async def gather(tx, ids):
        return await gathering.rows_naming(tx, METADATA, ids, without=["id"])

    async with write(rig.service.scope) as tx:
        monkeypatch.setattr(tx, "stage", told.extend)
        await gathering.answer(tx, [asked], gather=gather, event=list)

    rows, left_off = gathering.join([part.content for part in told])
    assert [(asked.dossier_id, n, len(told)) for n in range(1, len(told) + 1)] == [
        (part.dossier_id, part.part, part.parts) for part in told
    ]
    assert 1 < len(told)
    assert {"note": [{"person_id": str(kari), "words": "tall"}] * 7} == rows
    assert [] == left_off
