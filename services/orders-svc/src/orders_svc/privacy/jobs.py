"""What came late is forgotten, too."""

from datetime import timedelta

from kantis_kit.retention import keep
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from orders_svc.privacy import retention, usecases


@recurring("privacy.sweep", every=timedelta(minutes=1))
async def sweep(tx: Tx) -> None:
    """Empty what was written since of persons who were forgotten lately."""
    await usecases.sweep(tx)


@recurring("privacy.sweep_all", every=timedelta(hours=6))
async def sweep_all(tx: Tx) -> None:
    """Empty what was written since of whoever was forgotten."""
    await usecases.sweep(tx, is_whole=True)


@recurring("privacy.retain", cron="*/10 1-4 * * *")
async def retain(tx: Tx) -> None:
    """Delete or empty what is older than it may be, a bounded batch at a time, at night: it looks at whole tables."""
    await keep(tx, retention.RULES, service="orders")
    await retention.drop_restricted(tx)
