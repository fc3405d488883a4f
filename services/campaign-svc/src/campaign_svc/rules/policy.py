"""How often a rule acts about one person: pure, for what happens and for what would have happened."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaign_svc.rules.schemas import Decision, ReEntry

MOST_A_DAY = 10
"""A rule that would act so often about one person within a day is caught in a circle that nobody foresaw."""
_DAY = timedelta(days=1)

SENTENCES = {
    Decision.FIRED: "It became true, and the rule acted",
    Decision.NOT_AGAIN: "The rule has acted about the person before, and acts as often as its re_entry says",
    Decision.COOLING_DOWN: "The rule has acted about the person lately; its cool-down lasts",
    Decision.NOT_VALID: "It lay outside the time in which the rule is valid",
    Decision.PAUSED: "The rule was paused",
    Decision.LIMITED: f"The rule had acted {MOST_A_DAY} times about the person within a day: it may be in a circle",
    Decision.TOO_LATE: "It was told too late to be of use",
    Decision.NOT_TRUE: "The rule's condition was not true of the person then",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and when."""

    re_entry: ReEntry
    cool_down: timedelta
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(slots=True)
class Past:
    """When the rule has acted about one person: at least the last time, and each time of the last day."""

    fired: list[datetime] = field(default_factory=list)


def decide(policy: Policy, past: Past, at: datetime) -> Decision:
    """Decide on one entry, and remember it when the rule acts."""
    if (policy.valid_from and at < policy.valid_from) or (
        policy.valid_to and at >= policy.valid_to
    ):
        return Decision.NOT_VALID
    if past.fired:
        again = policy.re_entry is ReEntry.EVERY_ENTRY or (
            policy.re_entry is ReEntry.ONCE_A_YEAR
            and all(one.year != at.year for one in past.fired)
        )
        if not again:
            return Decision.NOT_AGAIN
        if policy.cool_down and abs(at - max(past.fired)) < policy.cool_down:
            return Decision.COOLING_DOWN
        if sum(abs(at - one) < _DAY for one in set(past.fired)) >= MOST_A_DAY:
            return Decision.LIMITED
    past.fired.append(at)
    return Decision.FIRED


def occasion(policy: Policy, at: datetime) -> str:
    """Return what makes one act of the rule another than the next: once is once in the ledger of steps, too."""
    if policy.re_entry is ReEntry.ONCE:
        return "once"
    return str(at.year) if policy.re_entry is ReEntry.ONCE_A_YEAR else at.isoformat()
