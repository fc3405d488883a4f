"""Reads of coupons."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlmodel import col

from campaign_svc.coupons.errors import CouponUnknown, SeriesUnknown
from campaign_svc.coupons.model import Coupon, CouponSeries
from campaign_svc.coupons.schemas import CouponOut, SeriesOut
from kantis_contracts.codes import normal
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, id_after, read_cursor


def _with_counts() -> Select[Any]:
    counted = (
        select(
            func.count(col(Coupon.code)).label("codes"),
            func.count(col(Coupon.person_id)).label("given"),
            func.count(col(Coupon.redeemed_at)).label("redeemed"),
        )
        .where(col(Coupon.series_id) == col(CouponSeries.id))
        .lateral()
    )
    return select(CouponSeries, counted.c.codes, counted.c.given, counted.c.redeemed)


def _shown(row: Row[Any]) -> SeriesOut:
    series, codes, given, redeemed = tuple(row)
    counts = {"codes": codes, "given": given, "redeemed": redeemed}
    return SeriesOut.model_validate({**series.model_dump(), **counts})


async def find_series(tx: ReadTx, series_id: UUID) -> CouponSeries:
    """Return a series. Raises `SeriesUnknown`."""
    found = await tx.get(CouponSeries, series_id)
    if found is None:
        raise SeriesUnknown(f"There is no series {series_id}")
    return found


async def get_series(tx: ReadTx, series_id: UUID) -> SeriesOut:
    """Return a series with its counts. Raises `SeriesUnknown`."""
    row = (await tx.execute(_with_counts().where(col(CouponSeries.id) == series_id))).first()
    if row is None:
        raise SeriesUnknown(f"There is no series {series_id}")
    return _shown(row)


async def list_series(tx: ReadTx, *, cursor: str | None, limit: int) -> Page[SeriesOut]:
    """Return series with their counts, the newest first."""
    wanted = _with_counts().order_by(col(CouponSeries.id).desc()).limit(limit + 1)
    after = id_after(cursor)
    if after is not None:
        wanted = wanted.where(col(CouponSeries.id) < after)
    rows = [_shown(row) for row in await tx.execute(wanted)]
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=more)


async def list_codes(
    tx: ReadTx, series_id: UUID, *, cursor: str | None, limit: int
) -> Page[CouponOut]:
    """Return the coupons of a series in the order of their codes."""
    wanted = (
        select(Coupon)
        .where(col(Coupon.series_id) == series_id)
        .order_by(col(Coupon.code))
        .limit(limit + 1)
    )
    after = read_cursor(cursor, str)
    if after is not None:
        wanted = wanted.where(col(Coupon.code) > after[0])
    rows = [CouponOut.model_validate(row) for row in await tx.scalars(wanted)]
    more = encode_cursor(rows[limit - 1].code) if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=more)


async def get_coupon(tx: ReadTx, code: str) -> CouponOut:
    """Return a coupon. Raises `CouponUnknown`."""
    found = await tx.get(Coupon, normal(code))
    if found is None:
        raise CouponUnknown("We do not know this coupon. Look at the code once more")
    return CouponOut.model_validate(found)
