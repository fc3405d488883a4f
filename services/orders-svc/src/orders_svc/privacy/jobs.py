"""What came late is forgotten, too."""

from kantis_kit.forgetting import sweeps
from kantis_kit.retention import keep
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from orders_svc.privacy import retention, usecases

SWEEP, SWEEP_ALL = sweeps(usecases.sweep)


@recurring("privacy.retain", cron="*/10 1-4 * * *")
async def retain(tx: Tx) -> None:
    """Delete or empty what is older than it may be, a bounded batch at a time, at night: it looks at whole tables."""
    await keep(tx, retention.RULES, service="orders")
    await retention.empty_books(tx)
    await retention.drop_restricted(tx)
