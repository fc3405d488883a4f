"""What is due, what was kept, and what nobody would be reminded of."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Row, and_, cast, func, not_, or_, select
from sqlmodel import col

from kantis_contracts.orders import ResponseKind
from kantis_kit.calendar import DEFAULT_COUNTRY, ZONES, date_in
from kantis_kit.tx import ReadTx
from orders_svc.deadlines.schemas import AgeingOut, AgeOut, UnattendedOut, WeekOut
from orders_svc.orders.model import OPEN, SalesOrder
from orders_svc.responses.model import NextStep, Response, ResponseState
from orders_svc.settings import OrdersSettings

LISTED = 500
_WAITS = col(Response.state) != ResponseState.ANSWERED.value
_IS_OVER = col(SalesOrder.state).not_in([state.value for state in OPEN])
_A_MOMENT = timedelta(microseconds=1)
"""What is due at the end of a day is due on it, not on the next."""


async def ageing(tx: ReadTx) -> AgeingOut:
    """Return how much waits for which next step, and how old it is."""
    now = tx.clock.now()
    soon_at = now + warning(tx)
    due_at = col(Response.due_at)
    rows = await tx.execute(
        select(
            col(Response.next_step),
            func.count().filter(due_at <= now).label("late"),
            func.count().filter(due_at > now, due_at <= soon_at).label("soon"),
            func.count().filter(due_at > soon_at).label("later"),
            func.min(due_at).label("first_due_at"),
        )
        .where(_WAITS)
        .group_by(col(Response.next_step))
        .order_by(func.min(due_at))
    )
    steps = [AgeOut.model_validate(row) for row in rows]
    late = sum(step.late for step in steps)
    return AgeingOut(
        at=now, late=late, waiting=late + sum(step.soon + step.later for step in steps), steps=steps
    )


def warning(tx: ReadTx) -> timedelta:
    """Return how long before it is due somebody is warned of an answer."""
    return timedelta(hours=tx.settings(OrdersSettings).deadline_warning_hours)


async def list_weeks(tx: ReadTx, *, kind: ResponseKind | None, weeks: int) -> list[WeekOut]:
    """Return what was promised for each of the last weeks and this one, and how much of it was kept.

    A week begins on Monday where the company is. Refusals are left out unless they are asked for: they need no answer.
    """
    now = tx.clock.now()
    country = tx.settings(OrdersSettings).company_country
    zone = ZONES.get(country, ZONES[DEFAULT_COUNTRY])
    today = date_in(now, country)
    monday = today - timedelta(days=today.weekday())
    first = datetime.combine(
        monday - timedelta(weeks=weeks - 1), datetime.min.time(), ZoneInfo(zone)
    )
    due_at, answered_at = col(Response.due_at), col(Response.answered_at)
    week = cast(func.date_trunc("week", func.timezone(zone, due_at - _A_MOMENT)), Date)
    in_time = and_(answered_at.is_not(None), answered_at <= due_at)
    waits = and_(answered_at.is_(None), due_at > now)
    rows = await tx.execute(
        select(
            week.label("week_on"),
            func.count().filter(in_time).label("kept"),
            func.count().filter(not_(or_(in_time, waits))).label("late"),
            func.count().filter(waits).label("waiting"),
        )
        .where(
            # Each state by itself, so that the index by state and moment is used.
            col(Response.state).in_([state.value for state in ResponseState]),
            due_at > first,
            due_at <= first + timedelta(weeks=weeks),
            _of(kind),
        )
        .group_by(week)
        .order_by(week)
    )
    return [_week(row) for row in rows]


def _of(kind: ResponseKind | None) -> ColumnElement[bool]:
    if kind is None:
        return col(Response.kind) != ResponseKind.REFUSAL.value
    return col(Response.kind) == kind.value


def _week(row: Row[Any]) -> WeekOut:
    decided = row.kept + row.late
    return WeekOut(
        week_on=row.week_on,
        kept=row.kept,
        late=row.late,
        waiting=row.waiting,
        kept_pct=round(100 * row.kept / decided, 1) if decided else None,
    )


async def list_unattended(tx: ReadTx) -> list[UnattendedOut]:
    """Return orders and responses that nobody would be reminded of, the oldest first; there should be none."""
    orders = await tx.execute(
        select(col(SalesOrder.order_id).label("id"), col(SalesOrder.placed_at).label("since"))
        .where(is_unfollowed())
        .order_by(col(SalesOrder.order_id))
        .limit(LISTED)
    )
    responses = await tx.execute(
        select(col(Response.response_id).label("id"), col(Response.responded_at).label("since"))
        .outerjoin(SalesOrder, col(SalesOrder.order_id) == col(Response.order_id))
        .where(
            _WAITS,
            col(Response.next_step) == NextStep.SHIP_ORDER.value,
            or_(col(SalesOrder.order_id).is_(None), _IS_OVER),
        )
        .order_by(col(Response.response_id))
        .limit(LISTED)
    )
    found = [
        _unattended("order", row, "it is open, and no open response has a day for it")
        for row in orders
    ] + [
        _unattended("response", row, "it waits for an order that is shipped, called off or gone")
        for row in responses
    ]
    return sorted(found, key=lambda one: one.since)[:LISTED]


def is_unfollowed() -> ColumnElement[bool]:
    """Return the condition that an open order has no open response which says by when it is to leave."""
    follows = select(col(Response.response_id)).where(
        col(Response.order_id) == col(SalesOrder.order_id), _WAITS
    )
    return and_(not_(_IS_OVER), not_(follows.exists()))


def _unattended(what: str, row: Row[Any], why: str) -> UnattendedOut:
    return UnattendedOut.model_validate(
        {"what": what, "id": row.id, "since": row.since, "why": why}
    )
