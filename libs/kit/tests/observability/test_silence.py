"""No person's data in a log line or a refusal, whatever fails, and no value that can forge a line."""

import asyncio
import io
import json
import logging
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kantis_contracts.base import Envelope
from kantis_kit.auth.policy import needs
from kantis_kit.consumer import MAX_ATTEMPTS, consumes
from kantis_kit.ids import new_id
from kantis_kit.observability import configure_logging, get_logger, problem_of
from kantis_kit.signing import Keys
from kantis_kit.testing.probe import SPEC, Made, ThingIn, ThingMadeV1
from kantis_kit.tx import write
from kantis_kit.web.deps import Write
from kantis_kit.web.router import Router

NAME, EMAIL, PHONE = "Kari Canary", "kari.canary@eksempel.test", "+47 912 34 567"
MESSAGE = "Hei Canary, din ordre er klar"
CANARIES = ("Canary", "canary", "912 34 567", "91234567")


class Lines(io.BytesIO):
    """Standard error, kept."""

    @property
    def buffer(self):
        return self

    def isatty(self):
        return False

    def write(self, what):
        return super().write(what.encode() if isinstance(what, str) else what)

    def told(self):
        return self.getvalue().decode()


@pytest.fixture(params=["json", "console"])
def lines(request, monkeypatch):
    """Collect what is logged, in both styles, from DEBUG on."""
    kept = Lines()
    monkeypatch.setattr("sys.stderr", kept)
    configure_logging("DEBUG", request.param)
    yield kept
    monkeypatch.undo()
    configure_logging("WARNING", "console")


def is_silent(told):
    return [canary for canary in CANARIES if canary in told] == []


def spec_with(*, function=None, routers=()):
    import dataclasses

    handlers = [consumes(ThingMadeV1, queue="probe.effects")(function)] if function else ()
    return dataclasses.replace(
        SPEC, handlers=handlers or SPEC.handlers, routers=[*SPEC.routers, *routers]
    )


async def collide(tx):
    """Have the database refuse a value, which it repeats in its message."""
    await tx.execute(text("CREATE TEMP TABLE person (email text UNIQUE, phone int) ON COMMIT DROP"))
    for _ in range(2):
        await tx.execute(text("INSERT INTO person (email) VALUES (:email)"), {"email": EMAIL})


async def cast(tx):
    """Have the database refuse a value in its first line."""
    await tx.execute(text("SELECT cast(cast(:it AS text) AS integer)"), {"it": f"{NAME} {PHONE}"})


async def misfit(tx):
    """Have the driver refuse a value, which it repeats."""
    await tx.execute(text("SELECT cast(:it AS integer)"), {"it": MESSAGE})


async def own(_tx):
    """Fail with words of our own."""
    raise ValueError(f"{NAME} <{EMAIL}> {PHONE}: {MESSAGE}")


FAILURES = [collide, cast, misfit, own]


async def until_parked(rig):
    for _ in range(MAX_ATTEMPTS + 1):
        await rig.drain()
        rig.clock.advance(timedelta(minutes=10))
    await rig.drain()


@pytest.mark.parametrize("fail", FAILURES)
async def test_a_failing_handler_tells_no_names(rig_for, lines, fail):
    async def handle(tx, _event, _meta):
        await fail(tx)

    rig = await rig_for(spec_with(function=handle), duplicate=False)
    await rig.publish(ThingMadeV1(items=(Made(id=new_id(), name=f"{NAME} {EMAIL} {MESSAGE}"),)))
    await until_parked(rig)

    assert "consumer.failed_message" in lines.told()
    assert is_silent(lines.told())
    (row,) = await rig.parked()
    assert EMAIL.encode() in row["envelope"]
    if fail is not own:
        assert is_silent(row["problem"])
        assert "Error" in row["problem"]


@pytest.mark.parametrize("fail", FAILURES)
async def test_a_failing_request_tells_no_names(rig_for, lines, fail):
    router = Router(prefix="/v1/failing")

    @router.post("/{word}", policy=needs("things:write"))
    async def failing(word: str, body: ThingIn, tx: Write) -> None:
        """Fail."""
        await fail(tx)

    rig = await rig_for(spec_with(routers=[router]))
    async with rig.client() as client:
        answer = await client.post(
            f"/v1/failing/plain?who={EMAIL}", json={"name": NAME}, headers={"X-Name": "Canary"}
        )

    assert 500 == answer.status_code
    assert "web.failed" in lines.told()
    assert is_silent(lines.told())
    assert is_silent(answer.text)
    assert "Error" not in answer.json()["detail"]


async def test_what_a_caller_sent_wrongly_is_not_repeated_to_it(rig_for, lines):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answer = await client.post("/v1/things", json={"name": {"first": NAME, "mail": EMAIL}})

    assert 422 == answer.status_code
    assert is_silent(answer.text)
    assert is_silent(lines.told())


async def test_a_message_parked_unread_tells_no_names(rig_for, lines):
    rig = await rig_for(SPEC, duplicate=False)
    now = rig.clock.now()
    data = json.dumps({"items": [{"id": f"{NAME} {PHONE}", "name": 7}]}).encode()
    bad = Envelope(
        id=new_id(),
        type=ThingMadeV1.type,
        source="probe",
        occurred_at=now,
        recorded_at=now,
        correlation_id=new_id(),
        data=data,
    )

    await rig.broker.publish([Keys.load(rig.keys_dir, "probe").sign(bad)])
    await rig.drain()

    (row,) = await rig.parked()
    assert b"Canary" in row["envelope"]
    assert is_silent(row["reason"])
    assert "consumer.parked" in lines.told()
    assert is_silent(lines.told())


def test_what_a_library_says_of_a_failed_task_tells_no_names(lines):
    async def main():
        async def fail():
            raise ValueError(f"{NAME} {EMAIL}")

        task = asyncio.get_running_loop().create_task(fail())
        await asyncio.wait([task])
        del task

    asyncio.run(main())
    import gc

    gc.collect()

    assert "never retrieved" in lines.told()
    assert "in fail" in lines.told()
    assert is_silent(lines.told())


def test_addresses_and_numbers_that_slip_through_are_masked(lines):
    get_logger("t").warning(
        "slip", answer=f"550 <{EMAIL}> unknown", also=[PHONE], more={"m": EMAIL}
    )
    logging.getLogger("library").error("no mailbox %s\nsecond line Canary", EMAIL)

    assert is_silent(lines.told())
    assert "550" in lines.told()
    assert "no mailbox" in lines.told()


@pytest.mark.parametrize(
    "hostile",
    [
        'a\r\n{"event": "forged"}',
        "a\nforged line",
        "\x1b[2J\x1b[31mred",
        "\x9b31mred",
        "line\u2028separator",
        "right\u202eto left",
        "nul\x00",
    ],
)
def test_a_value_cannot_forge_a_line_or_move_a_cursor(lines, hostile):
    get_logger("t").warning("event", value=hostile, **{"key\n": 1})
    logging.getLogger("library").error("%s", hostile)

    written = lines.told()
    assert 2 == len(written.splitlines())
    assert written.replace("\n", "").isprintable()


def test_a_trace_shows_where_but_not_what(lines):
    def break_down():
        raise RuntimeError(NAME) from KeyError(EMAIL)

    try:
        break_down()
    except RuntimeError:
        get_logger("t").exception("broke")

    assert "in break_down" in lines.told()
    assert "RuntimeError" in lines.told()
    assert "KeyError" in lines.told()
    assert is_silent(lines.told())


async def test_the_rule_that_the_database_names_is_told(rig_for):
    rig = await rig_for(SPEC, start=False)
    with pytest.raises(IntegrityError) as caught:
        async with write(rig.service.scope) as tx:
            await collide(tx)

    told = problem_of(caught.value)

    assert "IntegrityError UniqueViolationError 23505" in told
    assert "person_email_key" in told
    assert is_silent(told)


def test_a_wrapped_message_of_the_database_is_not_told():
    inner = asyncpg.DataError(f"invalid input: {EMAIL}")
    error = RuntimeError(f"could not store: {inner}")
    error.__cause__ = inner

    told = problem_of(error)

    assert is_silent(told)
    assert told.startswith("RuntimeError from DataError")
