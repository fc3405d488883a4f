"""What a mail server can do wrong, chosen per address, per domain or for everybody."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Stage = Literal["connect", "ehlo", "mail", "rcpt", "data", "dot"]

_REPLY = re.compile(r"[245]\d\d [\x20-\x7e]*")
EVERYBODY = "*"


@dataclass(frozen=True)
class Fault:
    """One misbehaviour.

    `connect`, `ehlo` and `mail` come before any recipient is known: they need the pattern `*`. At `data` the fault
    comes instead of the answer to DATA; at `dot` **after** the message was recorded as accepted, so that only the
    answer is lost.
    """

    rcpt: str = ""
    """Answer to RCPT, as `450 4.2.1 try again later`."""
    dot: str = ""
    """Answer to the end of the data; a 4xx or 5xx means that the message is not accepted."""
    connect: str = ""
    """Greeting, as `421 4.3.2 not now`."""
    hang_at: Stage | None = None
    """Never answer at this stage."""
    reset_at: Stage | None = None
    """Break the connection at this stage."""
    delay_at: Stage | None = None
    """Answer late at this stage, by `delay_seconds`."""
    delay_seconds: float = 0.0
    times: int | None = None
    """Heals after having happened so often."""

    def __post_init__(self) -> None:
        for name in ("rcpt", "dot", "connect"):
            reply = getattr(self, name)
            if reply and not _REPLY.fullmatch(reply):
                message = f"{name}={reply!r} is no SMTP answer: three digits, a space, a text, as '450 try later'."
                raise ValueError(message)
        for name in ("hang_at", "reset_at", "delay_at"):
            stage = getattr(self, name)
            if stage is not None and stage not in get_args(Stage):
                message = f"{name}={stage!r} is no stage; there are {', '.join(get_args(Stage))}."
                raise ValueError(message)

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "Fault":
        """Make a fault from a JSON object.

        Raises:
            ValueError: an unknown name or an unusable value.
        """
        known = {item.name for item in fields(cls)}
        if unknown := set(given) - known:
            message = f"{', '.join(sorted(unknown))}: no such property; there are {', '.join(sorted(known))}."
            raise ValueError(message)
        return cls(**given)

    def concerns(self, stage: Stage) -> bool:
        """Say whether something happens at this stage."""
        return stage in {self.hang_at, self.reset_at, self.delay_at} or bool(
            getattr(self, stage, "")
        )


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._by_pattern: dict[str, Fault] = {}
        self._happened: dict[str, int] = {}

    def set(self, pattern: str, fault: Fault) -> None:
        """Switch on for an address, a domain (`@example.no`) or everybody (`*`)."""
        self._by_pattern[pattern.lower()] = fault
        self._happened[pattern.lower()] = 0

    def clear(self, pattern: str | None = None) -> None:
        """Switch off one fault, or all."""
        if pattern is None:
            self._by_pattern.clear()
        else:
            self._by_pattern.pop(pattern.lower(), None)

    def happened(self, pattern: str) -> int:
        """Return how often a fault has happened since it was switched on."""
        return self._happened.get(pattern.lower(), 0)

    def at(self, stage: Stage, recipients: Iterable[str] = ()) -> Fault | None:
        """Return what happens now; counts as having happened. The nearest pattern wins."""
        for recipient in (*recipients, ""):
            address = recipient.lower()
            for pattern in (address, address[address.rfind("@") :] if address else "", EVERYBODY):
                fault = self._by_pattern.get(pattern)
                if fault is None or not fault.concerns(stage):
                    continue
                if fault.times is not None and self._happened[pattern] >= fault.times:
                    continue
                self._happened[pattern] += 1
                return fault
        return None
