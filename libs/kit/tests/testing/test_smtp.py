"""The mail server keeps what it accepts before it says so, and misbehaves as told."""

import asyncio
import contextlib
from datetime import timedelta

import aiosmtplib
import pytest

from kantis_kit.clock import FrozenClock
from kantis_kit.testing import smtp_session
from kantis_kit.testing.jsonl import read_log
from kantis_kit.testing.smtp import Fault, SmtpSink, smtp_process
from kantis_kit.testing.waiting import eventually

MAIL = (
    b"From: a@kantis.test\r\nMessage-ID: <1@kantis.test>\r\nX-Kantis-Dispatch: d-1\r\n\r\nHei\r\n"
)


class Client:
    """Sends exactly the bytes it is given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, text: str | bytes) -> None:
        self.writer.write(text if isinstance(text, bytes) else text.encode())

    async def reply(self) -> str:
        lines = []
        while True:
            line = (await self.reader.readline()).decode().rstrip()
            lines.append(line)
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, *commands: str) -> str:
        answer = ""
        for command in commands:
            self.send(f"{command}\r\n")
            answer = await self.reply()
        return answer

    async def deliver(self, *recipients: str, mail: bytes = MAIL) -> str:
        await self.say("EHLO test", "MAIL FROM:<a@kantis.test>")
        for recipient in recipients:
            answer = await self.say(f"RCPT TO:<{recipient}>")
            if not answer.startswith("2"):
                return answer
        answer = await self.say("DATA")
        if not answer.startswith("354"):
            return answer
        self.send(mail + b".\r\n")
        return await self.reply()


@contextlib.asynccontextmanager
async def connected(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Client(reader, writer)
    try:
        client.greeting = await client.reply()
        yield client
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def sink(tmp_path):
    async with SmtpSink(log=tmp_path / "mail.jsonl", clock=FrozenClock()) as started:
        yield started


async def test_an_ordinary_client_delivers_and_every_recipient_has_a_record(sink, tmp_path):
    await aiosmtplib.send(
        MAIL, sender="a@kantis.test", recipients=["kari@example.no", "se@example.no"],
        hostname="127.0.0.1", port=sink.port, start_tls=False,
    )  # fmt: skip

    records = await sink.wait_for(2)

    assert [record["rcpt"] for record in records] == ["kari@example.no", "se@example.no"]
    assert records == read_log(tmp_path / "mail.jsonl")
    first = records[0]
    assert first["from"] == "a@kantis.test"
    assert first["message_id"] == "<1@kantis.test>"
    assert first["dispatch_key"] == "d-1"
    assert first["t_data_start"] == first["t_dot"] == "2026-03-02T09:00:00+00:00"
    assert ["From", "a@kantis.test"] in first["headers"]
    assert first["message"].endswith("\r\n\r\nHei\r\n")
    assert first["size"] == len(first["message"])


async def test_the_record_is_on_the_disk_before_the_answer(sink, tmp_path, monkeypatch):
    order: list[str] = []
    record = sink.record

    async def watched(records):
        await record(records)
        order.append(f"{len(read_log(tmp_path / 'mail.jsonl'))} on the disk")

    monkeypatch.setattr(sink, "record", watched)
    async with connected(sink.port) as client:
        order.append(await client.deliver("kari@example.no"))

    assert order == ["1 on the disk", "250 2.0.0 accepted"]


async def test_the_times_of_data_and_dot_are_the_clocks(tmp_path):
    clock = FrozenClock()
    async with SmtpSink(clock=clock) as sink, connected(sink.port) as client:
        await client.say("EHLO test", "MAIL FROM:<a@b.no>", "RCPT TO:<c@d.no>", "DATA")
        clock.advance(timedelta(seconds=2))
        client.send(MAIL + b".\r\n")
        await client.reply()

        assert sink.messages[0]["t_dot"] == "2026-03-02T09:00:02+00:00"
        assert sink.messages[0]["t_data_start"] == "2026-03-02T09:00:00+00:00"


async def test_commands_sent_ahead_are_answered_in_order(sink):
    async with connected(sink.port) as client:
        client.send("EHLO x\r\nMAIL FROM:<a@b.no>\r\nRCPT TO:<c@d.no>\r\nRCPT TO:<>\r\nDATA\r\n")
        answers = [await client.reply() for _ in range(5)]
        client.send(MAIL + b".\r\nQUIT\r\n")
        answers += [await client.reply() for _ in range(2)]

    assert [answer[:3] for answer in answers] == ["250", "250", "250", "501", "354", "250", "221"]
    assert "PIPELINING" in answers[0]
    assert "8BITMIME" in answers[0]
    assert "SIZE 26214400" in answers[0]


async def test_without_pipelining_it_is_not_offered_and_who_sends_ahead_is_sent_away():
    async with SmtpSink(pipelining=False) as sink, connected(sink.port) as client:
        assert "PIPELINING" not in await client.say("EHLO x")
        assert await client.deliver("kari@example.no") == "250 2.0.0 accepted"
        client.send("NOOP\r\nNOOP\r\n")
        assert (await client.reply()).startswith("554")
        assert await client.reader.read() == b""


@pytest.mark.parametrize("false_end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"])
async def test_a_false_end_of_data_smuggles_nothing(sink, false_end):
    smuggled = b"MAIL FROM:<evil@b.no>\r\nRCPT TO:<victim@d.no>\r\nDATA\r\nx\r\n"
    async with connected(sink.port) as client:
        answer = await client.deliver("kari@example.no", mail=MAIL + false_end + smuggled)

    assert answer.startswith("550 5.6.0 bare")
    assert sink.messages == []
    assert [record["rcpt"] for record in sink.attempts] == ["kari@example.no"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"", ""),
        (b"..hidden\r\n", ".hidden\r\n"),
        (b"a\r\n..\r\n...b\r\n", "a\r\n.\r\n..b\r\n"),
        (b"\r\n", "\r\n"),
        ("blåbær\r\n".encode(), "blåbær\r\n"),
    ],
)
async def test_the_dots_of_the_transport_are_taken_off(sink, sent, kept):
    async with connected(sink.port) as client:
        await client.deliver("kari@example.no", mail=sent)

    assert kept == sink.messages[0]["message"]


async def test_an_end_of_data_that_comes_in_pieces_is_seen(sink):
    async with connected(sink.port) as client:
        await client.say("EHLO x", "MAIL FROM:<a@b.no>", "RCPT TO:<c@d.no>", "DATA")
        for piece in (b"Hei\r", b"\n", b".", b"\r", b"\n"):
            client.send(piece)
            await client.writer.drain()
            await asyncio.sleep(0)
        assert (await client.reply()).startswith("250")

    assert sink.messages[0]["message"] == "Hei\r\n"


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        (["MAIL FROM:<a@b.no>"], "503"),
        (["EHLO"], "501"),
        (["EHLO x", "RCPT TO:<a@b.no>"], "503"),
        (["EHLO x", "MAIL FROM:a@b.no"], "501"),
        (["EHLO x", "MAIL TO:<a@b.no>"], "501"),
        (["EHLO x", "MAIL FROM:<a@b.no> FOO=1"], "555"),
        (["EHLO x", "MAIL FROM:<a@b.no> SIZE=99999999"], "552"),
        (["EHLO x", "MAIL FROM:<a@b.no> BODY=8BITMIME SIZE=10"], "250"),
        (["EHLO x", "MAIL FROM:<>"], "250"),
        (["EHLO x", "MAIL FROM:<å@b.no>"], "553"),
        (["EHLO x", "MAIL FROM:<a@b.no>", "MAIL FROM:<a@b.no>"], "503"),
        (["EHLO x", "MAIL FROM:<a@b.no>", "RCPT TO:<å@b.no>"], "553"),
        (["EHLO x", "MAIL FROM:<a@b.no>", "RCPT TO:<a b@b.no>"], "501"),
        (["EHLO x", "MAIL FROM:<a@b.no>", "DATA"], "503"),
        (["EHLO x", "MAIL FROM:<a@b.no>", "RCPT TO:<c@d.no>", "DATA now"], "501"),
        (["EHLO x", "MAIL FROM:<a@b.no>", "RCPT TO:<c@d.no>", "RSET", "DATA"], "503"),
        (["HELO x", "MAIL FROM:<a@b.no>"], "250"),
        (["NOOP"], "250"),
        (["VRFY a"], "252"),
        (["STARTTLS"], "502"),
        ([""], "502"),
    ],
)
async def test_wrong_commands_get_the_answers_of_the_standard(sink, commands, answer):
    async with connected(sink.port) as client:
        assert (await client.say(*commands)).startswith(answer)


@pytest.mark.parametrize("sent", [b"NOOP\n", b"x" * 5000])
async def test_a_command_without_its_end_is_refused(sink, sent):
    async with connected(sink.port) as client:
        client.send(sent)
        assert (await client.reply()).startswith("500")
        assert await client.reader.read() == b""


async def test_a_line_that_relays_would_break_is_refused(sink):
    async with connected(sink.port) as client:
        answer = await client.deliver("kari@example.no", mail=b"x" * 999 + b"\r\n")

    assert answer.startswith("550 5.6.0 a line longer")


async def test_a_message_that_is_too_large_is_refused_and_the_conversation_goes_on():
    async with SmtpSink(max_bytes=1000) as sink, connected(sink.port) as client:
        answer = await client.deliver("kari@example.no", mail=b"x" * 99 + b"\r\n" * 5000)
        assert answer.startswith("552")
        assert (await client.deliver("kari@example.no")).startswith("250")
        assert len(sink.messages) == 1


@pytest.mark.parametrize("pattern", ["kari@example.no", "KARI@example.NO", "@example.no", "*"])
async def test_a_refusal_is_set_for_an_address_a_domain_or_everybody(sink, pattern):
    sink.faults.set(pattern, Fault(rcpt="550 5.1.1 unknown"))
    async with connected(sink.port) as client:
        assert await client.deliver("Kari@example.no") == "550 5.1.1 unknown"
        other = await client.deliver("ola@else.no")

    assert other.startswith("550" if pattern == "*" else "250")


async def test_the_nearest_pattern_wins_and_a_fault_can_heal(sink):
    sink.faults.set("@example.no", Fault(rcpt="550 5.1.1 unknown"))
    sink.faults.set("kari@example.no", Fault(rcpt="450 4.2.1 later", times=2))
    async with connected(sink.port) as client:
        answers = [await client.deliver("kari@example.no") for _ in range(3)]

    assert [answer[:3] for answer in answers] == ["450", "450", "550"]


async def test_a_message_refused_after_the_dot_is_an_attempt_and_no_delivery(sink):
    sink.faults.set("*", Fault(dot="451 4.3.0 disk full", times=1))
    async with connected(sink.port) as client:
        assert await client.deliver("kari@example.no") == "451 4.3.0 disk full"
        assert await client.deliver("kari@example.no") == "250 2.0.0 accepted"

    assert [record["reply"] for record in sink.attempts] == ["451 4.3.0 disk full", "250"]
    assert len(sink.messages) == 1


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "dot"])
async def test_it_resets_the_connection_at_any_stage(sink, stage):
    sink.faults.set("*", Fault(reset_at=stage))

    with pytest.raises((ConnectionResetError, AssertionError)):
        await _deliver(sink.port)

    assert len(sink.messages) == (1 if stage == "dot" else 0)


@pytest.mark.parametrize("stage", ["connect", "ehlo", "rcpt", "data", "dot"])
async def test_it_hangs_at_any_stage_and_still_stops(stage):
    async with SmtpSink() as sink:
        sink.faults.set("*", Fault(hang_at=stage))
        task = asyncio.ensure_future(_deliver(sink.port))
        if stage == "dot":
            await sink.wait_for(1)
        else:
            await eventually(lambda: sink.faults._happened["*"], message="the fault happened")
        assert not task.done()
    with pytest.raises((ConnectionResetError, AssertionError)):
        await task


async def _deliver(port: int) -> None:
    async with connected(port) as client:
        assert client.greeting
        assert await client.deliver("kari@example.no")


async def test_it_answers_late(sink, monkeypatch):
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr(smtp_session, "pause", pause)
    sink.faults.set("*", Fault(delay_at="dot", delay_seconds=7.5))
    async with connected(sink.port) as client:
        assert (await client.deliver("kari@example.no")).startswith("250")

    assert paused == [7.5]


async def test_it_greets_with_a_refusal(sink):
    sink.faults.set("*", Fault(connect="421 4.3.2 not now"))
    async with connected(sink.port) as client:
        assert client.greeting == "421 4.3.2 not now"
        assert await client.reader.read() == b""


async def test_connections_beyond_the_limit_are_turned_away():
    async with SmtpSink(max_connections=1) as sink, connected(sink.port) as first:
        async with connected(sink.port) as second:
            assert second.greeting.startswith("421")
        assert (await first.deliver("kari@example.no")).startswith("250")
        assert sink.most_connections == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"rcpt": "no"}', "is no SMTP answer"),
        ('{"hang_at": "lunch"}', "is no stage"),
        ('{"rcptt": "450 x"}', "no such property"),
        ("{", "XFAULT <pattern> <json>"),
        ("[]", "XFAULT <pattern> <json>"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused(sink, given, told):
    async with connected(sink.port) as client:
        answer = await client.say(f"XFAULT * {given}")

    assert answer.startswith("501")
    assert told in answer


async def test_a_process_of_its_own_keeps_its_log_over_a_kill(tmp_path):
    log = tmp_path / "mail.jsonl"
    async with smtp_process(log) as sink:
        await sink.set_fault("ola@example.no", {"rcpt": "550 5.1.1 unknown"})
        async with connected(sink.port) as client:
            assert (await client.deliver("ola@example.no")).startswith("550")
            await sink.clear_faults()
            assert (await client.deliver("ola@example.no")).startswith("250")
        with pytest.raises(ValueError, match="no such property"):
            await sink.set_fault("*", {"nonsense": 1})
        sink.process.kill()
    with log.open("ab") as file:
        file.write(b'{"rcpt": "torn')

    async with smtp_process(log, "--no-messages") as sink:
        async with connected(sink.port) as client:
            await client.deliver("kari@example.no")
        records = await sink.wait_for(2)

    assert [record["rcpt"] for record in records] == ["ola@example.no", "kari@example.no"]
    assert ["message" in record for record in records] == [True, False]
