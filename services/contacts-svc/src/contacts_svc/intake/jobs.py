"""Timed work of the intake."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contacts_svc.intake import usecases
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx


@on_timer(usecases.RETRY_TIMER)
async def ask_when_allowed(tx: Tx, timers: Sequence[Timer]) -> None:
    """Ask owners whose mailbox could not be asked when the lead came."""
    for timer in timers:
        await usecases.ask_later(tx, UUID(timer.payload["lead_id"]), str(timer.payload["email"]))


@recurring("intake.slots", every=timedelta(hours=6))
async def forget_slots(tx: Tx) -> None:
    """Forget mailboxes that may be asked again."""
    await usecases.forget_slots(tx)
    await usecases.forget_guards(tx)
