"""The routes of what customers are expected to be worth."""

from analytics_svc.worth import queries, usecases
from analytics_svc.worth.schemas import FittedOut, WorthModelOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports/worth", tags=["reports"])


@router.get("", policy=needs("analytics:read"))
async def list_models(tx: Read) -> list[WorthModelOut]:
    """Return the models of what customers will buy, a currency each, as they were fitted last (every night)."""
    return await queries.list_models(tx)


@router.post("/fit", policy=needs("analytics:write", privileged=True))
async def fit_models(tx: Write) -> FittedOut:
    """Fit the models now; takes some seconds. Where too few have bought, the model from before stays, and it is said why."""
    return await usecases.fit_models(tx)
