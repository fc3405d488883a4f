"""Make series, draw codes, and give coupons to people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from campaign_svc.actions.model import Asker, Target
from campaign_svc.actions.schemas import Action, CouponAction
from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.codes import draw_code
from campaign_svc.coupons.errors import SeriesClosed
from campaign_svc.coupons.model import Coupon, CouponSeries
from campaign_svc.coupons.queries import find_series
from campaign_svc.coupons.schemas import SeriesIn
from kantis_kit.db import aliases
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

_DRAW = text(
    """
    INSERT INTO coupon (code, series_id, made_at) SELECT code, :series_id, :now FROM unnest(cast(:codes AS text[])) AS code
    ON CONFLICT DO NOTHING RETURNING code
    """
)
_GIVE = text(
    """
    INSERT INTO coupon (code, series_id, person_id, reason, made_at)
    SELECT n.code, :series_id, n.person_id, :reason, :now
    FROM unnest(cast(:codes AS text[]), cast(:people AS uuid[])) AS n (code, person_id)
    ON CONFLICT DO NOTHING RETURNING code
    """
)
_THEIRS = text(
    """
    SELECT DISTINCT ON (person_id) person_id, code FROM coupon
    WHERE series_id = :series_id AND person_id = ANY(cast(:people AS uuid[])) ORDER BY person_id, made_at, code
    """
)
_PART = 10_000


async def make_series(tx: Tx, body: SeriesIn) -> CouponSeries:
    """Make a series, with as many codes as it asks for."""
    now = tx.clock.now()
    values: dict[str, Any] = body.model_dump(exclude={"codes", "kind"})
    values["valid_from"] = body.valid_from or now
    if body.valid_until is not None and body.valid_until <= now:
        raise Invalid("valid_until: lies in the past; the coupons would never be good")
    series = CouponSeries(
        id=new_id(), kind=body.kind.value, made_by=tx.actor, made_at=now, **values
    )
    tx.add(series)
    await tx.flush()  # the codes refer to it
    await draw_codes(tx, series.id, body.codes)
    return series


async def close_series(tx: Tx, series_id: UUID) -> None:
    """Call a series off: from now on no till takes its coupons. Raises `SeriesUnknown`."""
    series = await find_series(tx, series_id)
    if series.closed_at is None:
        series.closed_at = tx.clock.now()
        tx.audit("coupons.close", str(series_id))
        await tx.flush()  # what is shown next counts by a statement of its own


async def draw_codes(tx: Tx, series_id: UUID, count: int) -> None:
    """Add so many codes to a series.

    Raises:
        SeriesUnknown: there is no such series.
        SeriesClosed: it gives no more.
    """
    await _open_series(tx, series_id)
    while count:
        codes = sorted({draw_code() for _ in range(min(count, _PART))})
        drawn = await tx.scalars(_DRAW, {"codes": codes, **_of(series_id, tx.clock.now())})
        count -= len(drawn.all())  # a code that is taken is drawn anew


async def give(tx: Tx, series_id: UUID, person_ids: Sequence[UUID], reason: str) -> dict[UUID, str]:
    """Give each of these people a coupon of the series and return the codes; who has one keeps that one.

    Raises:
        SeriesUnknown: there is no such series.
        SeriesClosed: it gives no more.
    """
    await _open_series(tx, series_id)
    known = await aliases.resolve(tx, person_alias, person_ids)
    people = sorted({known.get(one, one) for one in person_ids})
    theirs = await _theirs(tx, series_id, people)
    while left := [one for one in people if one not in theirs]:
        codes = [draw_code() for _ in left]
        given = {**_of(series_id, tx.clock.now()), "reason": reason}
        await tx.execute(_GIVE, {"codes": codes, "people": left, **given})
        theirs |= await _theirs(tx, series_id, left)
    return {one: theirs[known.get(one, one)] for one in person_ids}


async def is_given(tx: ReadTx, action: Action) -> bool:
    """Say whether the series of an action is there and gives coupons."""
    assert isinstance(action, CouponAction)  # noqa: S101 - what it was registered for
    series = await tx.get(CouponSeries, action.series_id)
    return series is not None and series.closed_at is None


async def give_for_others(tx: Tx, asker: Asker, action: Action, targets: Sequence[Target]) -> None:
    """Give coupons to whom a rule or a programme names; of a series that was closed meanwhile nobody gets one."""
    assert isinstance(action, CouponAction)  # noqa: S101 - what it was registered for
    if await is_given(tx, action):
        reason = f"{asker.kind.value}: {asker.name}"
        await give(tx, action.series_id, [one.person_id for one in targets], reason)


async def give_one(tx: Tx, series_id: UUID, reason: str) -> str:
    """Draw a further coupon of the series, for whoever stands there, and return its code.

    Raises:
        SeriesUnknown: there is no such series.
        SeriesClosed: it gives no more.
    """
    await _open_series(tx, series_id)
    coupon = Coupon(code=draw_code(), series_id=series_id, reason=reason, made_at=tx.clock.now())
    tx.add(coupon)
    return coupon.code


async def _open_series(tx: Tx, series_id: UUID) -> None:
    series = await find_series(tx, series_id)
    if series.closed_at is not None:
        raise SeriesClosed(f"{series.name} was closed; make a series anew")


async def _theirs(tx: Tx, series_id: UUID, people: Sequence[UUID]) -> dict[UUID, str]:
    rows = await tx.execute(_THEIRS, {"series_id": series_id, "people": list(people)})
    return {row.person_id: row.code for row in rows}


def _of(series_id: UUID, now: datetime) -> dict[str, Any]:
    return {"series_id": series_id, "now": now}
