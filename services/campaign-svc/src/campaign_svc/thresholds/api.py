"""From where on a launch needs a signature, is forbidden, or needs a second person."""

from campaign_svc.thresholds import queries, usecases
from campaign_svc.thresholds.schemas import ThresholdIn, ThresholdOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/preflight-thresholds", tags=["campaigns"])
SET = needs("campaign:write", privileged=True)


@router.get("", policy=needs("campaign:read"))
async def list_thresholds(tx: Read) -> list[ThresholdOut]:
    """Return every threshold of pre-flights and what its numbers count."""
    return await queries.list_thresholds(tx)


@router.put("/{code}", policy=SET)
async def set_threshold(code: str, body: ThresholdIn, tx: Write) -> ThresholdOut:
    """Set a threshold for pre-flights to come."""
    return await usecases.set_threshold(tx, code, body)


@router.delete("/{code}", policy=SET, status_code=204)
async def reset_threshold(code: str, tx: Write) -> None:
    """Let the default hold again."""
    await usecases.reset_threshold(tx, code)
