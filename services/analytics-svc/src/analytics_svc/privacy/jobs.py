"""What came late is forgotten, too."""

from datetime import timedelta

from analytics_svc.privacy import usecases
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx


@recurring("privacy.sweep", every=timedelta(minutes=1))
async def sweep(tx: Tx) -> None:
    """Empty what was written of forgotten persons since."""
    await usecases.sweep(tx)
