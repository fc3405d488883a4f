"""What is recorded of a message that did not leave, and when it is tried again."""

import random
from datetime import timedelta

from kantis_kit.clock import Clock
from messaging_svc.dispatch.ledger import Outcome
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State

_FIRST_RETRY_SECONDS = 30.0
_LAST_RETRY_SECONDS = 3_600.0
_RETURNS_AT_ONCE = 3
_LONGEST_RETURN_SECONDS = 60.0


def ended(item: Item, state: State, rule: str = "", reason: str = "") -> Outcome:
    """Return how a message ended."""
    return Outcome(item.id, item.fence, state.value, rule, reason[:500])


class Retries:
    """Puts off what may succeed later, by longer and longer pauses, until it has been tried often enough."""

    def __init__(self, clock: Clock, chance: random.Random, *, max_attempts: int) -> None:
        self._clock = clock
        self._chance = chance
        self._max_attempts = max_attempts

    def anew(self, item: Item, *, at_once: bool = False) -> Outcome:
        """Return when a message is decided on anew of which nothing was sent: no attempt is counted.

        `at_once`: it comes back because somebody has asked for it, not because it could not leave.
        """
        next_at, often = self._clock.now(), item.fence - item.attempts - _RETURNS_AT_ONCE
        if often > 0 and not at_once:
            pause = min(_LONGEST_RETURN_SECONDS, 0.1 * 2 ** min(often, 10))
            next_at += timedelta(seconds=pause * self._chance.uniform(0.5, 1))
        return Outcome(item.id, item.fence, State.PLANNED.value, next_at=next_at, is_spared=True)

    def again(self, item: Item, reason: str) -> Outcome:
        """Return when a message is tried next, or that it was tried for the last time."""
        if item.attempts + 1 >= self._max_attempts:
            return ended(item, State.FAILED, "gave_up", reason)
        pause = min(_LAST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 4**item.attempts)
        next_at = self._clock.now() + timedelta(seconds=pause * self._chance.uniform(0.8, 1.2))
        return Outcome(item.id, item.fence, State.PLANNED.value, "put_off", reason[:500], next_at)
