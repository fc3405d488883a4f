"""Timed work of value: time and new bands change it without any event."""

from collections.abc import Sequence
from datetime import timedelta

from contacts_svc.value import usecases
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx


@recurring("value.recency", every=timedelta(minutes=1))
async def follow_time(tx: Tx) -> None:
    """Work out anew what time alone has changed."""
    await usecases.follow_time(tx)


@on_timer(usecases.RULES_TIMER)
async def follow_rules(tx: Tx, _timers: Sequence[Timer]) -> None:
    """Value the next people by new bands."""
    await usecases.follow_rules(tx)
