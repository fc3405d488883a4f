"""One SMTP connection: content and the next envelope in one write, one round trip a mail.

What is sent ahead of an answer: MAIL, RCPT and DATA of one message behind the content of the one before it, where the
server announces PIPELINING; else one command at a time. The content of a message never leaves before the 354 to its own
DATA, and `Desk.begins` is asked just before it.

Source: RFC 5321, RFC 2920 (3.1: after refused recipients a 354 is answered with a lone dot), RFC 3207, RFC 4954; 2026-11.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from kantis_kit import failpoints
from messaging_svc.wire.answers import CLOSING, CONTINUE, TEMPORARY, Lost, Refused
from messaging_svc.wire.line import Line, Step
from messaging_svc.wire.server import Server

_ALL = (Step.MAIL, Step.RCPT, Step.DATA)
_ALL_WITH_RESET = (Step.RSET, *_ALL)
_BEFORE_CONTENT = frozenset(_ALL_WITH_RESET)
_ABOUT_RECIPIENT = frozenset({Step.RCPT, Step.DATA})


@dataclass(slots=True, eq=False)
class Parcel:
    """A message on its way: its envelope, its bytes, and whatever its owner wants to find it again by."""

    sender: str
    recipient: str
    content: bytes
    owner: object = None
    last_word: Refused | None = None
    """What the server said to its recipient when it closed the connection over it."""


class Desk(Protocol):
    """Where a connection gets its messages from, and says what became of them.

    Every message that was taken comes to exactly one of the ends below.
    """

    def take(self) -> Parcel | None:
        """Return the next message, which may be sent."""
        ...

    def begins(self, parcel: Parcel) -> bool:
        """Hear that the content leaves now; answer False to forbid it, which is an end."""
        ...

    def put_back(self, parcel: Parcel) -> None:
        """Have back what was taken and whose content did not leave."""
        ...

    def accepted(self, parcel: Parcel, answer: str) -> None:
        """Hear that the server has taken it."""
        ...

    def refused(self, parcel: Parcel, refusal: Refused) -> None:
        """Hear that the server did not take it."""
        ...

    def lost(self, parcel: Parcel, loss: Lost) -> None:
        """Hear that its content left and no answer will come."""
        ...

    def fail(self, error: BaseException) -> None:
        """Hear that the program, not the server, has failed."""
        ...


class Connection(Line):
    """A connection to a mail server, fed by its desk for as long as it is open."""

    def __init__(self, server: Server, desk: Desk) -> None:
        super().__init__(server)
        self._desk = desk
        self._named: Parcel | None = None
        self._sent: Parcel | None = None
        self._refusal: Refused | None = None
        self._ahead = False
        self._is_rcpt_said = False
        self._needs_reset = False
        self._held_mail = b""
        self._has_served = False
        self.was_in_vain = False
        """Whether it broke over a message before any message had its answer: it opened, and that was all."""

    # -- life --------------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Say whether messages can be taken."""
        return self._is_ready and not self._is_ending

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is under way."""
        return not self._expected

    def poke(self) -> None:
        """Say that there may be something to take."""
        if self.is_open and self._named is None and (self._ahead or self._sent is None):
            self._next(b"")

    def finish(self) -> None:
        """Take nothing new; leave when what is under way has its answer."""
        self._is_ending = True
        self._leave_when_idle()

    async def open(self) -> None:
        """Connect, greet, secure, sign in."""
        await super().open()
        self._ahead = self._server.may_pipeline() and "PIPELINING" in self._extensions

    # -- one answer after the other ----------------------------------------------------------------------------------

    def _answered(self, step: Step, code: int, lines: list[str]) -> None:
        if code == CLOSING and step in _BEFORE_CONTENT:
            if self._named is not None and step in _ABOUT_RECIPIENT:
                self._named.last_word = Refused(code, " ".join(lines)[:300])
                self._has_served = True
            self.abort(f"the mail server closes: {code} {' '.join(lines)[:200]}")
        else:
            self._after[step](self, code, lines)

    def _was_reset(self, code: int, lines: list[str]) -> None:
        if code >= TEMPORARY:
            raise Lost(f"the mail server does not reset: {code} {' '.join(lines)[:200]}")
        if not self._ahead:
            self._say(self._held_mail, Step.MAIL)

    def _was_named(self, code: int, lines: list[str]) -> None:
        """Take the answer to MAIL or RCPT."""
        if code >= TEMPORARY and self._refusal is None:
            self._refusal = Refused(code, " ".join(lines)[:300])
        if not self._ahead:
            self._go_on_alone()

    def _go_on_alone(self) -> None:
        parcel = self._named
        if parcel is None or self._expected:
            return
        if self._refusal is not None:
            self._give_up(parcel, self._refusal)
        elif not self._is_rcpt_said:
            self._is_rcpt_said = True
            self._say(f"RCPT TO:<{parcel.recipient}>\r\n".encode(), Step.RCPT)
        else:
            self._pass("dispatch.after_rcpt", lambda: self._say(b"DATA\r\n", Step.DATA))

    def _data_answered(self, code: int, lines: list[str]) -> None:
        parcel = self._named
        if parcel is None:
            raise Lost("the mail server answered what was not asked")
        if code != CONTINUE:
            self._give_up(parcel, self._refusal or Refused(code, " ".join(lines)[:300]))
        elif self._refusal is not None:
            # RFC 2920: the 354 came though nobody is to get it; a lone dot ends the message that does not exist.
            refusal, self._refusal, self._named = self._refusal, None, None
            self._say(b".\r\n", Step.LONE_DOT)
            self._desk.refused(parcel, refusal)
        elif self._ahead:
            self._pass(
                "dispatch.after_rcpt", lambda: self._pass("dispatch.before_data", self._send)
            )
        else:
            self._pass("dispatch.before_data", self._send)

    def _give_up(self, parcel: Parcel, refusal: Refused) -> None:
        self._named = self._refusal = None
        self._needs_reset = self._has_served = True
        self._desk.refused(parcel, refusal)
        self._next(b"")

    def _send(self) -> None:
        self._pass("dispatch.before_dot", self._send_content)

    def _send_content(self) -> None:
        parcel = self._named
        if parcel is None:
            return
        self._named = None
        if not self._desk.begins(parcel):
            # The server waits for content that it must not get: there is no other way back.
            self.abort("a message was held back at the last moment")
            return
        self._sent = parcel
        self._expected.append(Step.DOT)
        self._next(parcel.content + b".\r\n")
        self._pass("dispatch.after_dot", _nothing)

    def _content_answered(self, code: int, lines: list[str]) -> None:
        parcel, self._sent = self._sent, None
        if parcel is None:
            raise Lost("the mail server answered what was not asked")
        text = " ".join(lines)[:300]
        self._has_served = True
        if code >= TEMPORARY:
            self._desk.refused(parcel, Refused(code, text))
            if code == CLOSING:
                self.abort("the mail server closes")
                return
        else:
            self._pass("dispatch.after_answer", lambda: self._desk.accepted(parcel, text))
        if self._named is None:
            self._next(b"")

    def _lone_dot_answered(self, code: int, lines: list[str]) -> None:
        # 554 is the rule. A server that says 250 has taken an empty message for nobody.
        del code, lines
        self._next(b"")

    def _left(self, code: int, lines: list[str]) -> None:
        del code, lines
        self.abort()

    # -- what is written ---------------------------------------------------------------------------------------------

    def _next(self, before: bytes) -> None:
        """Write what stands before it, and the envelope of the next message when there is one."""
        parcel, options = None, None
        # Whoever heard of an end may have poked us already: a second envelope would stand in the first one's content.
        may_take = self._named is None and (self._ahead or self._sent is None)
        if may_take and self._is_ready and not self._is_ending:
            while (parcel := self._desk.take()) is not None:
                options = self._options(parcel)
                if options is not None:
                    break
                refusal = Refused(553, "the mail server does not take addresses outside ASCII")
                self._desk.refused(parcel, refusal)
        if parcel is None:
            if before:
                self._write(before)
            self._leave_when_idle()
            return
        self._named, self._refusal, self._is_rcpt_said = parcel, None, self._ahead
        mail = f"MAIL FROM:<{parcel.sender}>{options}\r\n"
        reset, self._needs_reset = self._needs_reset, False
        if self._ahead:
            self._expected += _ALL_WITH_RESET if reset else _ALL
            envelope = f"{mail}RCPT TO:<{parcel.recipient}>\r\nDATA\r\n".encode()
            self._write(before + b"RSET\r\n" + envelope if reset else before + envelope)
        elif reset:
            self._held_mail = mail.encode()
            self._say(before + b"RSET\r\n", Step.RSET)
        else:
            self._say(before + mail.encode(), Step.MAIL)

    def _options(self, parcel: Parcel) -> str | None:
        if parcel.recipient.isascii() and parcel.sender.isascii():
            return ""
        return " SMTPUTF8" if "SMTPUTF8" in self._extensions else None

    def _say(self, command: bytes, step: Step) -> None:
        self._expected.append(step)
        self._write(command)

    def _leave_when_idle(self) -> None:
        if not self._is_ending or self._expected:
            return
        if self._transport is None or not self._is_ready:
            self.abort()
            return
        self._is_ready = False
        self._say(b"QUIT\r\n", Step.QUIT)

    # -- ends ------------------------------------------------------------------------------------------

    def _broken(self, error: Exception) -> None:
        self._desk.fail(error)

    def _gone(self, reason: str) -> None:
        sent, named = self._sent, self._named
        self._sent = self._named = None
        is_refused = named is not None and self._refusal is not None
        self.was_in_vain = (sent or named) is not None and not (self._has_served or is_refused)
        waits_for = self._expected[0] if self._expected else None
        if self._ahead and waits_for in (Step.RCPT, Step.DATA):
            # One answer came to what was sent ahead, and then silence or a closed door.
            self._server.doubt_pipelining(reason)
        if sent is not None:
            self._desk.lost(sent, Lost(f"no answer to the message ({reason})", is_unknown=True))
        if named is not None:
            if self._refusal is not None and waits_for is Step.DATA:
                self._desk.refused(named, self._refusal)
            else:
                self._desk.put_back(named)

    @staticmethod
    def _pass(point: str, then: Callable[[], None]) -> None:
        """Pass a fail-point on the way; one that hangs keeps us there for ever."""
        if not failpoints.are_set():
            then()
            return
        passage = failpoints.reach(point)
        try:
            passage.send(None)
        except StopIteration:
            pass
        else:
            return
        then()

    _after: Mapping[Step, Callable[["Connection", int, list[str]], None]] = MappingProxyType(
        {
            Step.RSET: _was_reset,
            Step.MAIL: _was_named,
            Step.RCPT: _was_named,
            Step.DATA: _data_answered,
            Step.DOT: _content_answered,
            Step.LONE_DOT: _lone_dot_answered,
            Step.QUIT: _left,
        }
    )


def _nothing() -> None:
    """Do nothing."""
