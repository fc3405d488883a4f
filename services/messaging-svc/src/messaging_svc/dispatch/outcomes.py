"""What is recorded of a message that did not leave, and when it is tried again."""

import random
from datetime import timedelta

from kantis_kit.clock import Clock
from messaging_svc.dispatch.ledger import Outcome
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State

_FIRST_RETRY_SECONDS = 30.0
_LAST_RETRY_SECONDS = 3_600.0


def ended(item: Item, state: State, rule: str = "", reason: str = "") -> Outcome:
    """Return how a message ended."""
    return Outcome(item.id, item.fence, state.value, rule, reason[:500])


class Retries:
    """Puts off what may succeed later, by longer and longer pauses, until it has been tried often enough."""

    def __init__(self, clock: Clock, chance: random.Random, *, max_attempts: int) -> None:
        self._clock = clock
        self._chance = chance
        self._max_attempts = max_attempts

    def again(self, item: Item, reason: str) -> Outcome:
        """Return when a message is tried next, or that it was tried for the last time."""
        if item.attempts + 1 >= self._max_attempts:
            return ended(item, State.FAILED, "gave_up", reason)
        pause = min(_LAST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 4**item.attempts)
        next_at = self._clock.now() + timedelta(seconds=pause * self._chance.uniform(0.8, 1.2))
        return Outcome(item.id, item.fence, State.PLANNED.value, "put_off", reason[:500], next_at)
