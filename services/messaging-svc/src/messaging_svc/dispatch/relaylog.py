"""What became of mails, read from the log of a Postfix that took them.

The relay writes the Message-ID of a mail beside the number under which it queues it, and from then on the number alone.
A mail that it has queued is accepted, whatever comes of it there, unless it says that it bounced.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_LINE = re.compile(
    r"postfix[\w-]*(?:/[\w-]+)*/(?P<daemon>\w+)\[\d+\]: (?P<queue>[0-9A-Za-z]{6,20}): (?P<rest>.*)"
)
_MESSAGE_ID = re.compile(r"(?:resent-)?message-id=(?P<id><[^<>\s]{3,998}>)")
_STATUS = re.compile(r"\bstatus=(?P<status>\w+) \((?P<answer>.*)\)\s*$")
_REFUSALS = ("reject:", "milter-reject:", "milter-discard:", "discard:")
_MOST = 300


@dataclass(frozen=True, slots=True)
class Fate:
    """What the relay did with a mail."""

    is_accepted: bool
    words: str


@dataclass(slots=True)
class RelayLog:
    """Reads line by line; `fates` holds what is known by Message-ID."""

    fates: dict[str, Fate] = field(default_factory=dict)
    lines: int = 0
    _queued: dict[str, str] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> "RelayLog":
        """Read further lines; a line that is none of Postfix's is passed over."""
        for line in lines:
            self.lines += 1
            found = _LINE.search(line.replace("\x00", ""))
            if found:
                self._take(found["daemon"], found["queue"], found["rest"])
        return self

    def _take(self, daemon: str, queue: str, rest: str) -> None:
        named = _MESSAGE_ID.match(rest)
        if named:
            self._queued[queue] = named["id"]
            return
        message_id = self._queued.get(queue)
        if message_id is None:
            return
        if rest == "removed":
            # The number may be given to another mail from now on.
            del self._queued[queue]
        elif rest.startswith(_REFUSALS):
            self.fates[message_id] = Fate(is_accepted=False, words=rest[:_MOST])
        elif status := _STATUS.search(rest):
            is_accepted = status["status"] not in ("bounced", "expired", "undeliverable")
            words = f"{status['status']}: {status['answer']}"
            self.fates[message_id] = Fate(is_accepted, words[:_MOST])
        elif daemon == "qmgr":
            self.fates.setdefault(message_id, Fate(is_accepted=True, words=f"queued as {queue}"))
