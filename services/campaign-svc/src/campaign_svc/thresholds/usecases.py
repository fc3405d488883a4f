"""Set from where on a launch needs a signature, is forbidden, or needs a second person."""

from campaign_svc.thresholds import queries
from campaign_svc.thresholds.errors import ThresholdUnknown
from campaign_svc.thresholds.limits import EXPLAINED
from campaign_svc.thresholds.model import Threshold
from campaign_svc.thresholds.schemas import ThresholdIn, ThresholdOut
from kantis_kit.tx import Tx


def _check(code: str) -> None:
    if code not in EXPLAINED:
        raise ThresholdUnknown(f"Nothing weighs {code!r}; there are {', '.join(EXPLAINED)}")


async def set_threshold(tx: Tx, code: str, body: ThresholdIn) -> ThresholdOut:
    """Set a threshold; it holds for pre-flights that are counted from now on.

    Raises:
        ThresholdUnknown: nothing of this name is weighed.
    """
    _check(code)
    row = await tx.get(Threshold, code)
    if row is None:
        row = Threshold(code=code, set_by=tx.actor, changed_at=tx.clock.now())
        tx.add(row)
    row.yellow, row.red = body.yellow, body.red
    row.set_by, row.changed_at = tx.actor, tx.clock.now()
    tx.audit("threshold.set", code, yellow=body.yellow, red=body.red)
    return queries.threshold_out(code, row)


async def reset_threshold(tx: Tx, code: str) -> None:
    """Let the default hold again. Raises `ThresholdUnknown`."""
    _check(code)
    row = await tx.get(Threshold, code)
    if row is not None:
        await tx.delete(row)
        tx.audit("threshold.reset", code)
