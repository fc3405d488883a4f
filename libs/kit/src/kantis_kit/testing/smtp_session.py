"""One SMTP conversation, strict in what it takes.

Only CRLF.CRLF ends a message: a bare line feed or carriage return in it is refused, so that nothing can be smuggled
behind a false end. Source: RFC 5321 (2.3.8, 4.1.1.4, 4.5.2), RFC 1870, RFC 2920, RFC 6152; read 2026-11.
"""

import asyncio
import contextlib
import json
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Any, Protocol, TypeAlias

from kantis_kit.clock import Clock
from kantis_kit.testing.smtp_faults import Fault, Faults, Stage
from kantis_kit.testing.waiting import pause

Record: TypeAlias = dict[str, Any]

_LONGEST_COMMAND = 2048
_LONGEST_TEXT_LINE = 998
_PATH = re.compile(r"<([^<>\s]*)>((?: [A-Za-z0-9-]+(?:=[\x21-\x7e]+)?)*)\s*")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


class Closed(Exception):
    """The conversation is over."""


class Server(Protocol):
    """What a conversation needs of its server."""

    faults: Faults
    clock: Clock
    key_header: str
    keep_messages: bool
    pipelining: bool
    connections: int
    max_connections: int
    max_bytes: int

    async def record(self, records: Sequence[Record]) -> None:
        """Keep records."""
        ...


class Wire:
    """Lines and messages of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = bytearray()

    @property
    def has_more(self) -> bool:
        """Say whether the client has sent ahead."""
        return bool(self._buffer)

    async def _fill(self) -> None:
        got = await self._reader.read(65536)
        if not got:
            raise Closed
        self._buffer += got

    async def line(self) -> bytes:
        """Return the next command without its CRLF."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LONGEST_COMMAND or b"\n" in self._buffer:
                await self.say("500 5.5.2 a line ends with CRLF, and is not that long")
                raise Closed
            await self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def content(self, max_bytes: int) -> bytes | None:
        """Return a message as it was sent, dots and all; None when it was too large."""
        self._buffer[:0] = b"\r\n"  # a message without any line ends at once
        too_large, searched = False, 0
        while (end := self._buffer.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(0, len(self._buffer) - 4)
            if len(self._buffer) > max_bytes + 4:
                too_large = True
                del self._buffer[:searched]
                searched = 0
            await self._fill()
        content = bytes(self._buffer[2 : end + 2])
        del self._buffer[: end + 5]
        return None if too_large or len(content) > max_bytes else content

    async def say(self, reply: str) -> None:
        """Answer; several lines are given with line feeds between."""
        lines = reply.split("\n")
        last = len(lines) - 1
        text = "".join(
            f"{line[:3]}{'-' if at < last else ' '}{line[4:]}\r\n" for at, line in enumerate(lines)
        )
        self._writer.write(text.encode())
        await self._writer.drain()

    def reset(self) -> None:
        """Break the connection, so that the client sees a reset and not an end."""
        found = self._writer.get_extra_info("socket")
        if found is not None:
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class Session:
    """The state of a conversation."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._server, self._wire = server, wire
        self._greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._verbs: dict[str, Callable[[str], Awaitable[str]]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "MAIL": self._mail, "RCPT": self._rcpt,
            "DATA": self._data, "RSET": self._rset, "NOOP": self._noop, "VRFY": self._vrfy,
            "QUIT": self._quit, "XFAULT": self._xfault, "XCLEAR": self._xclear,
        }  # fmt: skip

    async def run(self) -> None:
        """Talk until the client leaves."""
        with contextlib.suppress(Closed):
            await self._greet()
            while True:
                await self._command((await self._wire.line()).decode("utf-8", "replace"))

    async def _greet(self) -> None:
        if self._server.connections > self._server.max_connections:
            await self._wire.say("421 4.7.0 too many connections")
            raise Closed
        fault = await self._suffer("connect")
        if fault and fault.connect:
            await self._wire.say(fault.connect)
            if not fault.connect.startswith("2"):
                raise Closed
            return
        await self._wire.say("220 sink.test ESMTP")

    async def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        handle = self._verbs.get(verb.upper())
        if self._wire.has_more and not self._server.pipelining:
            await self._wire.say("554 5.5.0 sent ahead without PIPELINING")
            raise Closed
        await self._wire.say(await handle(rest) if handle else "502 5.5.1 unknown command")
        if verb.upper() == "QUIT":
            raise Closed

    async def _suffer(self, stage: Stage, recipients: Sequence[str] = ()) -> Fault | None:
        fault = self._server.faults.at(stage, recipients)
        if fault is None:
            return None
        if fault.delay_at == stage:
            await pause(fault.delay_seconds)
        if fault.hang_at == stage:
            await asyncio.Event().wait()
        if fault.reset_at == stage:
            self._wire.reset()
            raise Closed
        return fault

    async def _ehlo(self, name: str) -> str:
        await self._suffer("ehlo")
        if not name.strip():
            return "501 5.5.4 who are you?"
        self._greeted = True
        self._forget()
        offers = ["250 sink.test", "250 8BITMIME", f"250 SIZE {self._server.max_bytes}"]
        offers += ["250 PIPELINING"] if self._server.pipelining else []
        return "\n".join([*offers, "250 ENHANCEDSTATUSCODES"])

    async def _helo(self, name: str) -> str:
        answer = await self._ehlo(name)
        return answer if answer.startswith("5") else "250 sink.test"

    async def _mail(self, rest: str) -> str:
        await self._suffer("mail")
        if not self._greeted or self._sender is not None:
            return "503 5.5.1 EHLO first, and one sender per message"
        path = _path(rest, "FROM:")
        if path is None:
            return "501 5.5.4 MAIL FROM:<address> [SIZE=…] [BODY=…]"
        address, options = path
        if not address.isascii():
            return "553 5.6.7 SMTPUTF8 is not offered"
        for name, value in options.items():
            if name == "SIZE" and value.isdigit():
                if int(value) > self._server.max_bytes:
                    return "552 5.3.4 too large"
            elif (name, value.upper()) not in {("BODY", "7BIT"), ("BODY", "8BITMIME")}:
                return "555 5.5.4 unknown option"
        self._sender = address
        return "250 2.1.0 ok"

    async def _rcpt(self, rest: str) -> str:
        if self._sender is None:
            return "503 5.5.1 MAIL first"
        path = _path(rest, "TO:")
        if path is None or not path[0] or path[1]:
            return "501 5.5.4 RCPT TO:<address>"
        address = path[0]
        if not address.isascii():
            return "553 5.6.7 SMTPUTF8 is not offered"
        fault = await self._suffer("rcpt", [address])
        if fault and fault.rcpt:
            return fault.rcpt
        self._recipients.append(address)
        return "250 2.1.5 ok"

    async def _data(self, rest: str) -> str:
        if rest.strip():
            return "501 5.5.4 DATA stands alone"
        if not self._recipients:
            return "503 5.5.1 RCPT first"
        started = self._server.clock.now()
        await self._suffer("data", self._recipients)
        await self._wire.say("354 end with CRLF.CRLF")
        content = await self._wire.content(self._server.max_bytes)
        ended = self._server.clock.now()
        refusal = _refusal(content)
        fault = None
        if not refusal:
            fault = self._server.faults.at("dot", self._recipients)
            refusal = fault.dot if fault and not fault.dot.startswith("2") else ""
        records = self._records(_unstuffed(content or b""), (started, ended), refusal)
        await self._server.record(records)
        if fault and not refusal:
            await self._after_dot(fault)
        self._forget()
        return refusal or "250 2.0.0 accepted"

    async def _after_dot(self, fault: Fault) -> None:
        if fault.delay_at == "dot":
            await pause(fault.delay_seconds)
        if fault.hang_at == "dot":
            await asyncio.Event().wait()
        if fault.reset_at == "dot":
            self._wire.reset()
            raise Closed

    def _records(
        self, message: bytes, times: tuple[datetime, datetime], refusal: str
    ) -> list[Record]:
        parsed = BytesHeaderParser(policy=compat32).parsebytes(message)
        headers = [[name, str(value)] for name, value in parsed.items()]
        first = {name.lower(): value for name, value in reversed(headers)}
        shared: Record = {
            "from": self._sender,
            "accepted": not refusal,
            "reply": refusal or "250",
            "message_id": first.get("message-id", ""),
            "dispatch_key": first.get(self._server.key_header.lower(), ""),
            "t_data_start": times[0].isoformat(),
            "t_dot": times[1].isoformat(),
            "size": len(message),
            "headers": headers,
        }
        if self._server.keep_messages:
            shared["message"] = message.decode("utf-8", "backslashreplace")
        return [{"rcpt": recipient, **shared} for recipient in self._recipients]

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []

    async def _rset(self, _: str) -> str:
        self._forget()
        return "250 2.0.0 forgotten"

    async def _noop(self, _: str) -> str:
        return "250 2.0.0 ok"

    async def _vrfy(self, _: str) -> str:
        return "252 2.5.2 send it and see"

    async def _quit(self, _: str) -> str:
        return "221 2.0.0 bye"

    async def _xfault(self, rest: str) -> str:
        pattern, _, given = rest.partition(" ")
        try:
            self._server.faults.set(pattern, Fault.parse(json.loads(given)))
        except (ValueError, TypeError) as error:
            return f"501 5.5.4 XFAULT <pattern> <json>: {error}".replace("\n", " ")
        return "250 2.0.0 set"

    async def _xclear(self, _: str) -> str:
        self._server.faults.clear()
        return "250 2.0.0 cleared"


def _path(rest: str, prefix: str) -> tuple[str, dict[str, str]] | None:
    if rest[: len(prefix)].upper() != prefix:
        return None
    found = _PATH.fullmatch(rest[len(prefix) :].lstrip())
    if found is None:
        return None
    options = dict(option.partition("=")[::2] for option in found[2].split())
    return found[1], {name.upper(): value for name, value in options.items()}


def _refusal(content: bytes | None) -> str:
    if content is None:
        return "552 5.3.4 too large"
    if _BARE.search(content):
        return "550 5.6.0 bare line feed or carriage return"
    if any(len(line) > _LONGEST_TEXT_LINE for line in content.split(b"\r\n")):
        return "550 5.6.0 a line longer than 998 characters"
    return ""


def _unstuffed(content: bytes) -> bytes:
    stuffed = content.startswith(b".")
    message = content.replace(b"\r\n.", b"\r\n")
    return message[1:] if stuffed else message
