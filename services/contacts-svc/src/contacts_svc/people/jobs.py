"""Timed work of people."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contacts_svc.people.usecases import addresses, identifiers, reach
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx


@recurring("people.decay", every=timedelta(minutes=15))
async def decay(tx: Tx) -> None:
    """Believe no proof of arrival for ever."""
    await reach.decay(tx)


@on_timer(addresses.TURN_TIMER)
async def turn_on_the_day(tx: Tx, timers: Sequence[Timer]) -> None:
    """Put dated addresses to use at midnight of their day, and let those go whose time is over."""
    await addresses.turn_some(tx, [UUID(timer.payload["person_id"]) for timer in timers])


@recurring("people.addresses", every=timedelta(hours=1))
async def turn_addresses(tx: Tx) -> None:
    """Find those whom no timer has turned: people whose time zone has changed since."""
    await addresses.turn(tx)


@recurring("people.identifiers", every=timedelta(hours=1))
async def retire_identifiers(tx: Tx) -> None:
    """Let identifiers go whose time is over."""
    await identifiers.retire(tx)
