"""What came late is forgotten, too."""

from datetime import timedelta

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from orders_svc.privacy import usecases


@recurring("privacy.sweep", every=timedelta(minutes=1))
async def sweep(tx: Tx) -> None:
    """Empty what was written of forgotten persons since."""
    await usecases.sweep(tx)
