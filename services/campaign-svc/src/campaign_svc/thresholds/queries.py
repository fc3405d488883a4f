"""Reads of thresholds."""

from sqlalchemy import select

from campaign_svc.thresholds.limits import APPROVAL, DEFAULTS, EXPLAINED, Limit
from campaign_svc.thresholds.model import Threshold
from campaign_svc.thresholds.schemas import ThresholdOut
from kantis_kit.tx import ReadTx


async def get_limits(tx: ReadTx) -> dict[str, Limit]:
    """Return the limits that hold now."""
    rows = await tx.scalars(select(Threshold))
    return {**DEFAULTS, **{row.code: Limit(row.yellow, row.red) for row in rows}}


async def approval_from(tx: ReadTx) -> int | None:
    """Return the number of pieces above which a second person must approve; None: never."""
    row = await tx.get(Threshold, APPROVAL)
    return row.red if row else None


async def list_thresholds(tx: ReadTx) -> list[ThresholdOut]:
    """Return every threshold, the company's own and the defaults."""
    own = {row.code: row for row in await tx.scalars(select(Threshold))}
    return [threshold_out(code, own.get(code)) for code in EXPLAINED]


def threshold_out(code: str, row: Threshold | None) -> ThresholdOut:
    """Return a threshold as it is shown."""
    if row is None:
        limit = DEFAULTS.get(code, Limit())
        return ThresholdOut(
            code=code, counts=EXPLAINED[code], yellow=limit.yellow, red=limit.red, is_default=True
        )
    return ThresholdOut(**row.model_dump(), counts=EXPLAINED[code], is_default=False)
