"""Timed work of data quality."""

from collections.abc import Sequence
from datetime import timedelta

from contacts_svc.scores import usecases
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx


@recurring("scores.keep", every=timedelta(minutes=10))
async def keep_scores(tx: Tx) -> None:
    """Score people who are new or have changed."""
    await usecases.forget_erased(tx)
    await usecases.keep_scores(tx)


@on_timer(usecases.SCORES_TIMER)
async def keep_more_scores(tx: Tx, _timers: Sequence[Timer]) -> None:
    """Score the next people."""
    await usecases.keep_scores(tx)
