"""The routes of the house's reports: each as JSON, and as CSV with the same lines."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Response

from analytics_svc.company import queries
from analytics_svc.company.errors import SpanInvalid
from analytics_svc.company.schemas import (
    CohortMonth,
    LeadMonth,
    Lines,
    ListMonth,
    LostPost,
    RepeatPurchase,
    ReturnedPost,
    Satisfaction,
    ServiceLevel,
)
from analytics_svc.tables import items_as_csv
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Out

router = Router(prefix="/v1/reports", tags=["reports"])
READ = needs("analytics:read")
_LONGEST, _END = timedelta(days=3_653), 9999
CSV = {200: {"content": {"text/csv": {}}, "description": "A line each"}}
LineT = TypeVar("LineT", bound=Out)


async def _span(since: date, until: date) -> tuple[date, date]:
    if not (since <= until and until - since <= _LONGEST):
        raise SpanInvalid(
            f"until={until} must be a day from since={since} on, at most ten years later"
        )
    if until.year >= _END:
        raise SpanInvalid(f"until={until} must be a day before the year {_END}")
    return since, until


Span = Annotated[tuple[date, date], Depends(_span)]
Currency = Annotated[
    str | None, Query(pattern="^[A-Z]{3}$", description="Without it, every currency.")
]


def _csv(name: str, items: Sequence[LineT], kind: type[LineT]) -> Response:
    return Response(
        items_as_csv(items, kind),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


@router.get("/cohorts", policy=READ)
async def get_cohorts(tx: Read, span: Span, currency: Currency = None) -> Lines[CohortMonth]:
    """Return what the buyers of each month's cohort did in every month since their first order; at most ten years."""
    return Lines(items=await queries.list_cohorts(tx, *span, currency))


@router.get("/cohorts.csv", policy=READ, response_class=Response, responses=CSV)
async def get_cohorts_csv(tx: Read, span: Span, currency: Currency = None) -> Response:
    """Return what the buyers of each month's cohort did in every month since their first order, as CSV."""
    return _csv("cohorts", await queries.list_cohorts(tx, *span, currency), CohortMonth)


@router.get("/repeat-purchases", policy=READ)
async def get_repeat_purchases(
    tx: Read, span: Span, currency: Currency = None
) -> Lines[RepeatPurchase]:
    """Return how many buyers of each cohort ordered once, twice and so on; at most ten years."""
    return Lines(items=await queries.list_repeat_purchases(tx, *span, currency))


@router.get("/repeat-purchases.csv", policy=READ, response_class=Response, responses=CSV)
async def get_repeat_purchases_csv(tx: Read, span: Span, currency: Currency = None) -> Response:
    """Return how many buyers of each cohort ordered once, twice and so on, as CSV."""
    return _csv(
        "repeat-purchases", await queries.list_repeat_purchases(tx, *span, currency), RepeatPurchase
    )


@router.get("/lists", policy=READ)
async def get_lists(tx: Read, span: Span) -> Lines[ListMonth]:
    """Return who came on the lists and who left them, and how many people each list has; at most ten years."""
    return Lines(items=await queries.list_growth(tx, *span))


@router.get("/lists.csv", policy=READ, response_class=Response, responses=CSV)
async def get_lists_csv(tx: Read, span: Span) -> Response:
    """Return who came on the lists and who left them, and how many people each list has, as CSV."""
    return _csv("lists", await queries.list_growth(tx, *span), ListMonth)


@router.get("/lead-months", policy=READ)
async def get_lead_months(tx: Read, span: Span) -> Lines[LeadMonth]:
    """Return how many leads each form brought; at most ten years."""
    return Lines(items=await queries.list_lead_months(tx, *span))


@router.get("/lead-months.csv", policy=READ, response_class=Response, responses=CSV)
async def get_lead_months_csv(tx: Read, span: Span) -> Response:
    """Return how many leads each form brought, as CSV."""
    return _csv("lead-months", await queries.list_lead_months(tx, *span), LeadMonth)


@router.get("/satisfaction", policy=READ)
async def get_satisfaction(tx: Read, span: Span) -> Lines[Satisfaction]:
    """Return what people scored, by survey and question; at most ten years."""
    return Lines(items=await queries.list_satisfaction(tx, *span))


@router.get("/satisfaction.csv", policy=READ, response_class=Response, responses=CSV)
async def get_satisfaction_csv(tx: Read, span: Span) -> Response:
    """Return what people scored, by survey and question, as CSV."""
    return _csv("satisfaction", await queries.list_satisfaction(tx, *span), Satisfaction)


@router.get("/service-levels", policy=READ)
async def get_service_levels(tx: Read, span: Span) -> Lines[ServiceLevel]:
    """Return how many answers had their next step within two working days; at most ten years."""
    return Lines(items=await queries.list_service_levels(tx, *span))


@router.get("/service-levels.csv", policy=READ, response_class=Response, responses=CSV)
async def get_service_levels_csv(tx: Read, span: Span) -> Response:
    """Return how many answers had their next step within two working days, as CSV."""
    return _csv("service-levels", await queries.list_service_levels(tx, *span), ServiceLevel)


@router.get("/returned-post", policy=READ)
async def get_returned_post(tx: Read, span: Span) -> Lines[ReturnedPost]:
    """Return what the post brought back, by kind and reason; at most ten years."""
    return Lines(items=await queries.list_returned_post(tx, *span))


@router.get("/returned-post.csv", policy=READ, response_class=Response, responses=CSV)
async def get_returned_post_csv(tx: Read, span: Span) -> Response:
    """Return what the post brought back, by kind and reason, as CSV."""
    return _csv("returned-post", await queries.list_returned_post(tx, *span), ReturnedPost)


@router.get("/lost-post", policy=READ)
async def get_lost_post(tx: Read, span: Span) -> Lines[LostPost]:
    """Return what the pieces had cost that the post brought back; at most ten years."""
    return Lines(items=await queries.list_lost_post(tx, *span))


@router.get("/lost-post.csv", policy=READ, response_class=Response, responses=CSV)
async def get_lost_post_csv(tx: Read, span: Span) -> Response:
    """Return what the pieces had cost that the post brought back, as CSV."""
    return _csv("lost-post", await queries.list_lost_post(tx, *span), LostPost)
