"""The models follow the customers."""

from analytics_svc.worth import usecases
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx


@recurring("worth.fit", cron="20 3 * * *")
async def fit(tx: Tx) -> None:
    """Fit the models anew every night."""
    await usecases.fit_models(tx)
