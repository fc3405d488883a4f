"""One connection against mail servers good and bad: what becomes of each message."""

import asyncio
from collections import deque

import pytest

from kantis_kit.testing.smtp import Fault, SmtpSink
from messaging_svc.wire.answers import Lost, Refused
from messaging_svc.wire.connection import Connection, Parcel
from messaging_svc.wire.server import Deadlines, Server

PATIENT = Deadlines(60, 60, 60)
HASTY = Deadlines(0.2, 0.2, 0.2)
"""For servers that never answer: here the wait is what is tested."""


class Desk:
    """Hands out parcels, and keeps what it hears."""

    def __init__(self, *recipients):
        self.waiting = deque(_parcel(one) for one in recipients)
        self.ends = []
        self.began = []
        self.wanted = len(self.waiting)
        self.done = asyncio.Event()
        self.forbidden = set()
        self.errors = []

    def take(self):
        return self.waiting.popleft() if self.waiting else None

    def begins(self, parcel):
        self.began.append(parcel.recipient)
        if parcel.recipient in self.forbidden:
            self._end(parcel, "forbidden")
            return False
        return True

    def put_back(self, parcel):
        self._end(parcel, "put_back")

    def accepted(self, parcel, answer):
        assert answer
        self._end(parcel, "accepted")

    def refused(self, parcel, refusal):
        self._end(parcel, str(refusal.code))

    def lost(self, parcel, loss):
        assert loss.is_unknown
        self._end(parcel, "lost")

    def fail(self, error):
        self.errors.append(error)
        self.done.set()

    def _end(self, parcel, how):
        self.ends.append((parcel.recipient, how))
        if len(self.ends) >= self.wanted:
            self.done.set()

    @property
    def by_recipient(self):
        assert len(self.ends) == len(dict(self.ends)), "a message ended twice"
        return dict(self.ends)


def _parcel(recipient):
    body = f"From: <a@lys.example>\r\nX-Kantis-Dispatch: {recipient}\r\n\r\nHei {recipient}\r\n"
    return Parcel("a@lys.example", recipient, body.encode())


class EagerDesk(Desk):
    """Pokes when it hears that a message was refused, as one does whose mail server was on trial."""

    def refused(self, parcel, refusal):
        super().refused(parcel, refusal)
        self.connection.poke()


async def _send(desk, port, *, deadlines=PATIENT, server=None):
    connection = Connection(server or Server("127.0.0.1", port, deadlines=deadlines), desk)
    desk.connection = connection
    await connection.open()
    connection.poke()
    done = asyncio.ensure_future(desk.done.wait())
    await asyncio.wait({done, connection._ended}, return_when=asyncio.FIRST_COMPLETED)
    done.cancel()
    connection.finish()
    await connection.ended()
    return desk.by_recipient


@pytest.fixture(params=[True, False], ids=["pipelined", "one by one"])
async def sink(request):
    async with SmtpSink(pipelining=request.param) as server:
        yield server


@pytest.fixture
async def ahead():
    async with SmtpSink() as server:
        yield server


async def test_many_go_over_one_connection_in_their_order(sink):
    names = [f"k{n}@x.example" for n in range(30)]

    ends = await _send(Desk(*names), sink.port)

    assert {"accepted"} == set(ends.values())
    assert names == [record["rcpt"] for record in sink.messages]
    assert names == [record["dispatch_key"] for record in sink.messages]
    assert 1 == sink.most_connections


async def test_refused_recipients_between_good_ones(sink):
    sink.faults.set("@no.example", Fault(rcpt="550 5.1.1 no such user"))
    sink.faults.set("@later.example", Fault(rcpt="450 4.2.1 later"))
    names = ["a@no.example", "b@x.example", "c@later.example", "d@no.example", "e@x.example"]

    ends = await _send(Desk(*names), sink.port)

    assert {
        "a@no.example": "550", "b@x.example": "accepted", "c@later.example": "450",
        "d@no.example": "550", "e@x.example": "accepted",
    } == ends  # fmt: skip
    assert ["b@x.example", "e@x.example"] == [record["rcpt"] for record in sink.messages]


async def test_a_poke_over_a_refusal_takes_one_message_and_everybody_gets_their_own(sink):
    sink.faults.set("@no.example", Fault(rcpt="550 5.1.1 no such user"))
    names = ["a@no.example", "b@x.example", "c@no.example", "d@x.example", "e@x.example"]

    ends = await _send(EagerDesk(*names), sink.port)

    assert ["550", "accepted", "550", "accepted", "accepted"] == [ends[one] for one in names]
    assert names[1::2] + names[4:] == [record["rcpt"] for record in sink.messages]
    assert [(one["rcpt"], "Hei " + one["rcpt"]) for one in sink.messages] == [
        (one["rcpt"], one["message"].splitlines()[-1]) for one in sink.messages
    ]
    assert not [one for one in sink.messages if "MAIL FROM" in one["message"]]


async def test_refused_content_harms_nobody_else(sink):
    sink.faults.set("b@x.example", Fault(dot="554 5.7.1 not wanted"))

    ends = await _send(Desk("a@x.example", "b@x.example", "c@x.example"), sink.port)

    assert ["accepted", "554", "accepted"] == list(ends.values())


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
async def test_who_falls_silent_before_the_content_has_nothing_of_it(sink, stage):
    sink.faults.set("*", Fault(hang_at=stage))

    ends = await _send(Desk("a@x.example"), sink.port, deadlines=HASTY)

    assert {"a@x.example": "put_back"} == ends
    assert [] == sink.attempts


@pytest.mark.parametrize("stage", ["connect", "ehlo"])
async def test_who_is_silent_from_the_beginning_is_given_up(ahead, stage):
    ahead.faults.set("*", Fault(hang_at=stage))
    connection = Connection(Server("127.0.0.1", ahead.port, deadlines=HASTY), Desk())

    with pytest.raises(Lost):
        await connection.open()

    assert not connection.is_open


@pytest.mark.parametrize("fault", [{"hang_at": "dot"}, {"reset_at": "dot"}])
async def test_a_content_without_an_answer_is_lost_and_the_one_behind_it_is_not(ahead, fault):
    ahead.faults.set("a@x.example", Fault(**fault))

    desk = Desk("a@x.example", "b@x.example")
    ends = await _send(desk, ahead.port, deadlines=HASTY)

    assert {"a@x.example": "lost", "b@x.example": "put_back"} == ends
    assert ["a@x.example"] == desk.began


async def test_a_reset_at_the_recipient_loses_nothing(sink):
    sink.faults.set("a@x.example", Fault(reset_at="rcpt"))

    assert {"a@x.example": "put_back"} == await _send(Desk("a@x.example"), sink.port)


async def test_a_full_server_is_no_refusal_of_the_message(ahead):
    ahead.faults.set("*", Fault(connect="421 4.3.2 not now"))
    connection = Connection(Server("127.0.0.1", ahead.port, deadlines=PATIENT), Desk())

    with pytest.raises(Refused) as refusal:
        await connection.open()

    assert 421 == refusal.value.code
    assert "not now" in str(refusal.value)


async def test_what_may_not_begin_does_not_leave(sink):
    desk = Desk("a@x.example")
    desk.forbidden.add("a@x.example")

    assert {"a@x.example": "forbidden"} == await _send(desk, sink.port)
    assert [] == sink.attempts


async def test_addresses_outside_ascii_need_a_server_that_takes_them(sink):
    ends = await _send(Desk("åse@x.example", "b@x.example"), sink.port)

    assert {"åse@x.example": "553", "b@x.example": "accepted"} == ends


class Script:
    """A server that answers as its function says, line by line; `None` closes."""

    def __init__(self, answer):
        self.answer, self.heard, self.taken = answer, [], []

    async def serve(self, reader, writer):
        writer.write(b"220 odd\r\n")
        while line := await reader.readline():
            self.heard.append(line.decode().strip())
            said = self.answer(self.heard[-1], reader, self)
            if said is None:
                break
            writer.write(said.encode())
            if said.startswith("354"):
                content = await reader.readuntil(b".\r\n")
                self.taken.append(content)
                writer.write(
                    b"554 5.5.1 no valid recipients\r\n"
                    if content == b".\r\n"
                    else b"250 taken\r\n"
                )
        writer.close()

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.listener.close()


def _plain(line):
    verb = line.split()[0]
    if verb == "EHLO":
        return "250-odd\r\n250 PIPELINING\r\n"
    return {"DATA": "354 go\r\n", "QUIT": "221 bye\r\n"}.get(verb, "250 ok\r\n")


async def test_a_server_that_takes_data_for_nobody_gets_a_lone_dot():
    def answer(line, _reader, _server):
        return "550 no\r\n" if line.startswith("RCPT TO:<a@") else _plain(line)

    async with Script(answer) as server:
        ends = await _send(Desk("a@x.example", "b@x.example"), server.port)

    assert {"a@x.example": "550", "b@x.example": "accepted"} == ends
    assert b".\r\n" == server.taken[0]
    assert b"Hei b@x.example" in server.taken[1]


def _forgets(line, reader, _server):
    """Announce PIPELINING, and throw away what came with a command."""
    if line.startswith(("MAIL", "RCPT")):
        reader._buffer.clear()
    return _plain(line)


def _shuts(line, reader, server):
    """Announce PIPELINING, and call it a crime."""
    if line.startswith("MAIL") and reader._buffer:
        return "554 5.5.0 sent ahead\r\n"
    return (
        None
        if "554" in str(server.heard) or (line.startswith("RCPT") and reader._buffer)
        else _plain(line)
    )


@pytest.mark.parametrize("answer", [_forgets, _shuts])
async def test_a_server_that_lies_about_pipelining_gets_everything_one_by_one(answer):
    async with Script(answer) as liar:
        server = Server("127.0.0.1", liar.port, deadlines=HASTY)
        first = await _send(Desk("a@x.example"), liar.port, server=server)
        server.deadlines = PATIENT
        second = await _send(Desk("a@x.example", "b@x.example"), liar.port, server=server)

    assert {"a@x.example": "put_back"} == first
    assert {"a@x.example": "accepted", "b@x.example": "accepted"} == second
    assert 2 == len(liar.taken)
