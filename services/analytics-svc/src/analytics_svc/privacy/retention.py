"""How long analytics knows whose facts are; the reason stands in contacts-svc, where the period is decided."""

from datetime import timedelta

from analytics_svc.facts import sql
from analytics_svc.facts.usecases import move
from kantis_kit.forgetting import keep_periods
from kantis_kit.retention import BATCH
from kantis_kit.tx import Tx

KIND, DAYS = "analytics.fact", 1_095


async def unlink_old(tx: Tx, *, limit: int = BATCH) -> None:
    """Take the person out of facts of campaigns that were launched long ago; the figures stay."""
    days = (await keep_periods(tx)).get(KIND, DAYS)
    await move(tx, sql.UNLINK_OLD, tx.clock.now() - timedelta(days=days), limit)
