"""The routes of the house's reports: each as JSON, and as CSV and Parquet with the same lines."""

from datetime import date, timedelta
from typing import Annotated

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
from analytics_svc.files import AskedForm, as_file, file_routes
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports", tags=["reports"])
READ = needs("analytics:read")
_LONGEST, _END = timedelta(days=3_653), 9999


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


@router.get("/cohorts", policy=READ)
async def get_cohorts(tx: Read, span: Span, currency: Currency = None) -> Lines[CohortMonth]:
    """Return what the buyers of each month's cohort did in every month since their first order; at most ten years."""
    return Lines(items=await queries.list_cohorts(tx, *span, currency))


@file_routes(router, "/cohorts", policy=READ)
async def get_cohorts_file(
    form: AskedForm, tx: Read, span: Span, currency: Currency = None
) -> Response:
    """Return what the buyers of each month's cohort did in every month since their first order, as a file."""
    return await as_file(
        "cohorts", form, await queries.list_cohorts(tx, *span, currency), CohortMonth
    )


@router.get("/repeat-purchases", policy=READ)
async def get_repeat_purchases(
    tx: Read, span: Span, currency: Currency = None
) -> Lines[RepeatPurchase]:
    """Return how many buyers of each cohort ordered once, twice and so on; at most ten years."""
    return Lines(items=await queries.list_repeat_purchases(tx, *span, currency))


@file_routes(router, "/repeat-purchases", policy=READ)
async def get_repeat_purchases_file(
    form: AskedForm, tx: Read, span: Span, currency: Currency = None
) -> Response:
    """Return how many buyers of each cohort ordered once, twice and so on, as a file."""
    return await as_file(
        "repeat-purchases",
        form,
        await queries.list_repeat_purchases(tx, *span, currency),
        RepeatPurchase,
    )


@router.get("/lists", policy=READ)
async def get_lists(tx: Read, span: Span) -> Lines[ListMonth]:
    """Return who came on the lists and who left them, and how many people each list has; at most ten years."""
    return Lines(items=await queries.list_growth(tx, *span))


@file_routes(router, "/lists", policy=READ)
async def get_lists_file(form: AskedForm, tx: Read, span: Span) -> Response:
    """Return who came on the lists and who left them, and how many people each list has, as a file."""
    return await as_file("lists", form, await queries.list_growth(tx, *span), ListMonth)


@router.get("/lead-months", policy=READ)
async def get_lead_months(tx: Read, span: Span) -> Lines[LeadMonth]:
    """Return how many leads each form brought; at most ten years."""
    return Lines(items=await queries.list_lead_months(tx, *span))


@file_routes(router, "/lead-months", policy=READ)
async def get_lead_months_file(form: AskedForm, tx: Read, span: Span) -> Response:
    """Return how many leads each form brought, as a file."""
    return await as_file("lead-months", form, await queries.list_lead_months(tx, *span), LeadMonth)


@router.get("/satisfaction", policy=READ)
async def get_satisfaction(tx: Read, span: Span) -> Lines[Satisfaction]:
    """Return what people scored, by survey and question; at most ten years."""
    return Lines(items=await queries.list_satisfaction(tx, *span))


@file_routes(router, "/satisfaction", policy=READ)
async def get_satisfaction_file(form: AskedForm, tx: Read, span: Span) -> Response:
    """Return what people scored, by survey and question, as a file."""
    return await as_file(
        "satisfaction", form, await queries.list_satisfaction(tx, *span), Satisfaction
    )


@router.get("/service-levels", policy=READ)
async def get_service_levels(tx: Read, span: Span) -> Lines[ServiceLevel]:
    """Return how many answers had their next step within two working days; at most ten years."""
    return Lines(items=await queries.list_service_levels(tx, *span))


@file_routes(router, "/service-levels", policy=READ)
async def get_service_levels_file(form: AskedForm, tx: Read, span: Span) -> Response:
    """Return how many answers had their next step within two working days, as a file."""
    return await as_file(
        "service-levels", form, await queries.list_service_levels(tx, *span), ServiceLevel
    )


@router.get("/returned-post", policy=READ)
async def get_returned_post(tx: Read, span: Span) -> Lines[ReturnedPost]:
    """Return what the post brought back, by kind and reason; at most ten years."""
    return Lines(items=await queries.list_returned_post(tx, *span))


@file_routes(router, "/returned-post", policy=READ)
async def get_returned_post_file(form: AskedForm, tx: Read, span: Span) -> Response:
    """Return what the post brought back, by kind and reason, as a file."""
    return await as_file(
        "returned-post", form, await queries.list_returned_post(tx, *span), ReturnedPost
    )


@router.get("/lost-post", policy=READ)
async def get_lost_post(tx: Read, span: Span) -> Lines[LostPost]:
    """Return what the pieces had cost that the post brought back; at most ten years."""
    return Lines(items=await queries.list_lost_post(tx, *span))


@file_routes(router, "/lost-post", policy=READ)
async def get_lost_post_file(form: AskedForm, tx: Read, span: Span) -> Response:
    """Return what the pieces had cost that the post brought back, as a file."""
    return await as_file("lost-post", form, await queries.list_lost_post(tx, *span), LostPost)
