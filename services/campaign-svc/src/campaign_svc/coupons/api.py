"""Coupons: series and their codes, and what a till asks."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from zxingcpp import BarcodeFormat, create_barcode

from campaign_svc.coupons import queries, usecases
from campaign_svc.coupons.redeeming import Tills
from campaign_svc.coupons.schemas import (
    CodesIn,
    CouponOut,
    IssuedOut,
    IssueIn,
    RedemptionIn,
    RedemptionOut,
    SeriesIn,
    SeriesOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Caller, Read, Write
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router
from kantis_kit.web.state import runtime_of

series = Router(prefix="/v1/coupon-series", tags=["coupons"])
router = Router(prefix="/v1/coupons", tags=["coupons"])
READ, WRITE, REDEEM = needs("campaign:read"), needs("campaign:write"), needs("campaign:redeem")
Cursor = Annotated[str | None, Query(max_length=500)]


@series.post("", policy=WRITE, status_code=201)
async def make_series(body: SeriesIn, tx: Write) -> SeriesOut:
    """Make a series of coupons, with codes to print or none yet."""
    made = await usecases.make_series(tx, body)
    return await queries.get_series(tx, made.id)


@series.get("", policy=READ)
async def list_series(
    tx: Read, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[SeriesOut]:
    """List the series, the newest first, with how many coupons were given and used."""
    return await queries.list_series(tx, cursor=cursor, limit=limit)


@series.get("/{series_id}", policy=READ)
async def get_series(series_id: UUID, tx: Read) -> SeriesOut:
    """Return a series with its counts."""
    return await queries.get_series(tx, series_id)


@series.post("/{series_id}/close", policy=WRITE)
async def close_series(series_id: UUID, tx: Write) -> SeriesOut:
    """Call a series off: no till takes its coupons any more."""
    await usecases.close_series(tx, series_id)
    return await queries.get_series(tx, series_id)


@series.post("/{series_id}/codes", policy=WRITE, status_code=201)
async def draw_codes(series_id: UUID, body: CodesIn, tx: Write) -> SeriesOut:
    """Draw further codes, such as for a printer."""
    await usecases.draw_codes(tx, series_id, body.count)
    return await queries.get_series(tx, series_id)


@series.get("/{series_id}/codes", policy=READ)
async def list_codes(
    series_id: UUID,
    tx: Read,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
) -> Page[CouponOut]:
    """List the coupons of a series in the order of their codes."""
    await queries.find_series(tx, series_id)
    return await queries.list_codes(tx, series_id, cursor=cursor, limit=limit)


@series.post("/{series_id}/issues", policy=WRITE)
async def give_coupons(series_id: UUID, body: IssueIn, tx: Write) -> list[IssuedOut]:
    """Give people a coupon each; who has one of this series keeps it."""
    given = await usecases.give(tx, series_id, body.person_ids, body.reason)
    return [IssuedOut(person_id=person_id, code=code) for person_id, code in given.items()]


@router.get("/{code}", policy=READ)
async def get_coupon(code: str, tx: Read) -> CouponOut:
    """Return a coupon."""
    return await queries.get_coupon(tx, code)


@router.get("/{code}/qr", policy=READ, response_class=Response)
async def draw_qr(code: str, tx: Read) -> Response:
    """Return the coupon's code as a QR code (SVG), to print or to show on a telephone."""
    known = await queries.get_coupon(tx, code)
    drawn = create_barcode(known.code, BarcodeFormat.QRCode, ec_level="M").to_svg()
    return Response(drawn, media_type="image/svg+xml")


@router.post("/{code}/redemptions", policy=REDEEM)
async def redeem_coupon(
    code: str, body: RedemptionIn, request: Request, caller: Caller
) -> RedemptionOut:
    """Use a coupon: once, however many tills try. A refusal says in the till's language what is wrong."""
    scope = runtime_of(request).scope
    tills: Tills = scope.extras[Tills]
    return await tills.redeem(scope, code, body, by=caller.id)
