"""The recurring jobs that every service runs for the chassis' own tables."""

from datetime import timedelta

from sqlalchemy import text

from kantis_kit import inbox, parked
from kantis_kit.ids import first_id_at
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx

KEEP_ANSWERS = timedelta(days=7)
KEEP_PARKED = timedelta(days=180)
"""A parked message holds what it told of people; half a year after its last attempt nobody will want it."""


@recurring("kit.answers", every=timedelta(hours=1))
async def _forget_answers(tx: Tx) -> None:
    await tx.execute(
        text("DELETE FROM idempotency WHERE stored_at < :before"),
        {"before": tx.clock.now() - KEEP_ANSWERS},
    )


@recurring("kit.inbox", every=timedelta(hours=6))
async def _forget_inbox(tx: Tx) -> None:
    # The rest partition holds what came in for a week without a partition of its own; weekly partitions are made and
    # dropped by the owner (`kantis migrate` and its daily run), because the run-time role may not change tables.
    await tx.execute(
        text("DELETE FROM inbox_rest WHERE event_id < :before"),
        {"before": first_id_at(tx.clock.now() - inbox.KEEP)},
    )


@recurring("kit.parked", every=timedelta(hours=6))
async def _forget_parked(tx: Tx) -> None:
    await parked.forget(tx, before=tx.clock.now() - KEEP_PARKED)


KIT_JOBS = (_forget_answers, _forget_inbox, _forget_parked)
