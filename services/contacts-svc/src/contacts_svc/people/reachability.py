"""From what happened to messages to whether the next one will arrive; pure, and the same in any order of telling."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SOFT_LIMIT = 3
"""On so many days a message must have bounced for a passing reason before the address is given up for a while."""
SOFT_WINDOW = timedelta(days=60)
SOFT_PAUSE = timedelta(days=90)
"""After this an address that was given up for passing reasons is tried again."""
BELIEVED = timedelta(days=365)
"""So long a message that arrived proves that the next one will."""


class Reachability(StrEnum):
    """Whether messages arrive."""

    UNKNOWN = "unknown"
    REACHABLE = "reachable"
    UNDELIVERABLE = "undeliverable"


class Outcome(StrEnum):
    """What happened at an address."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    ANSWERED = "answered"
    SOFT_BOUNCE = "soft_bounce"
    HARD_BOUNCE = "hard_bounce"
    UNKNOWN_ADDRESS = "unknown_address"
    REFUSED = "refused"
    MOVED = "moved"
    DECEASED = "deceased"
    LEFT_EMPLOYER = "left_employer"


ARRIVED = frozenset(
    {Outcome.DELIVERED, Outcome.OPENED, Outcome.CLICKED, Outcome.REPLIED, Outcome.ANSWERED}
)
_OURS = re.compile(r"(?<![\d.])[45]\.[67]\.\d|(?:block|black) ?list|spamhaus|reputation")
FINAL = frozenset(
    {
        Outcome.HARD_BOUNCE,
        Outcome.UNKNOWN_ADDRESS,
        Outcome.REFUSED,
        Outcome.MOVED,
        Outcome.DECEASED,
        Outcome.LEFT_EMPLOYER,
    }
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of an address, why, and when it changes by itself if nothing more is heard."""

    state: Reachability
    reason: str = ""
    changes_at: datetime | None = None


def judge(evidence: Iterable[tuple[Outcome, datetime]], *, now: datetime) -> Judgement:
    """Return what follows from all that is known of an address.

    What arrived later than it failed proves that it works again; of the same moment, the failure counts.
    """
    told = sorted(evidence, key=lambda one: (one[1], one[0] not in ARRIVED, one[0].value))
    arrived = max((at for outcome, at in told if outcome in ARRIVED), default=None)
    since = [one for one in told if arrived is None or one[1] >= arrived]
    final = [outcome for outcome, _ in since if outcome in FINAL]
    if final:
        return Judgement(Reachability.UNDELIVERABLE, final[-1].value)
    soft = [at for outcome, at in since if outcome is Outcome.SOFT_BOUNCE]
    recent = [at for at in soft if at > soft[-1] - SOFT_WINDOW]
    if len({at.date() for at in recent}) >= SOFT_LIMIT:
        until = soft[-1] + SOFT_PAUSE
        if now < until:
            return Judgement(Reachability.UNDELIVERABLE, Outcome.SOFT_BOUNCE.value, until)
    if arrived is not None and now < arrived + BELIEVED:
        return Judgement(Reachability.REACHABLE, "arrived", arrived + BELIEVED)
    return Judgement(Reachability.UNKNOWN)


def outcome_of_failure(reason: str) -> Outcome | None:
    """Read the answer of a carrier: a mailbox that is not there is final, everything else may pass.

    None for what says nothing of the address: a server that does not like our network, or our text (x.7.x, x.6.x).

    Source: RFC 3463, enhanced mail system status codes; 5.1.x is about the address, 5.2.1 a mailbox that is closed.
    """
    told = reason.casefold()
    if _OURS.search(told):
        return None
    if any(
        code in told for code in ("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
    ):
        return Outcome.HARD_BOUNCE
    if any(words in told for words in ("user unknown", "no such user", "mailbox not found")):
        return Outcome.HARD_BOUNCE
    return Outcome.SOFT_BOUNCE
