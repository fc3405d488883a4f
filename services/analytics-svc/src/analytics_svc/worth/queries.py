"""What the models say, and of what they are made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlmodel import col

from analytics_svc.facts.model import buyer
from analytics_svc.worth.model import WorthModel
from analytics_svc.worth.models import Buying, Spending
from analytics_svc.worth.schemas import Worth, WorthModelOut
from kantis_kit.tx import ReadTx

_WEEK, _AHEAD = 7, 52


@dataclass(slots=True)
class Customers:
    """The buyers of a currency: equal ones together."""

    again: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    age: list[float] = field(default_factory=list)
    count: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Repeaters:
    """Those who bought again: on how many days, and for how much on each of these on average."""

    again: list[float] = field(default_factory=list)
    mean_minor: list[float] = field(default_factory=list)
    count: list[float] = field(default_factory=list)


async def list_currencies(tx: ReadTx) -> list[str]:
    """Return the currencies in which somebody has bought."""
    return list(await tx.scalars(select(buyer.c.currency).distinct().order_by(buyer.c.currency)))


async def get_customers(tx: ReadTx, currency: str, today: date) -> Customers:
    """Return the buyers of a currency, grouped: as many rows as there are different ones."""
    is_ours = (buyer.c.currency == currency) & (buyer.c.days > 0) & (buyer.c.last_on <= today)
    again, last = buyer.c.days - 1, buyer.c.last_on - buyer.c.first_on
    rows = await tx.execute(
        select(
            again.label("again"),
            last.label("last"),
            buyer.c.first_on,
            func.count().label("customers"),
        )
        .where(is_ours)
        .group_by(again, last, buyer.c.first_on)
    )
    found = Customers()
    for row in rows:
        found.again.append(float(row.again))
        found.last.append(row.last / _WEEK)
        found.age.append((today - row.first_on).days / _WEEK)
        found.count.append(float(row.customers))
    return found


async def get_repeaters(tx: ReadTx, currency: str) -> Repeaters:
    """Return those who bought again for money."""
    again = buyer.c.days - 1
    rows = await tx.execute(
        select(again.label("again"), buyer.c.later_minor, func.count().label("customers"))
        .where(buyer.c.currency == currency, again > 0, buyer.c.later_minor > 0)
        .group_by(again, buyer.c.later_minor)
    )
    found = Repeaters()
    for row in rows:
        found.again.append(float(row.again))
        found.mean_minor.append(row.later_minor / row.again)
        found.count.append(float(row.customers))
    return found


async def list_models(tx: ReadTx) -> list[WorthModelOut]:
    """Return the models, by currency."""
    models: Sequence[WorthModel] = (
        await tx.scalars(select(WorthModel).order_by(col(WorthModel.currency)))
    ).all()
    return [WorthModelOut.model_validate(one) for one in models]


async def list_worth(tx: ReadTx, person_id: UUID) -> list[Worth]:
    """Return what a customer is expected to do, for each currency in which they have bought and that has a model."""
    rows = await tx.execute(
        select(WorthModel, buyer.c.first_on, buyer.c.last_on, buyer.c.days, buyer.c.later_minor)
        .join(buyer, buyer.c.currency == col(WorthModel.currency))
        .where(buyer.c.person_id == person_id, buyer.c.days > 0)
        .order_by(buyer.c.currency)
    )
    today = tx.clock.now().date()
    return [_worth(row.WorthModel, row, today) for row in rows]


def _worth(model: WorthModel, bought: Row[*tuple[Any, ...]], today: date) -> Worth:
    buying = Buying(model.r, model.alpha, model.a, model.b)
    again, last = bought.days - 1, (bought.last_on - bought.first_on).days / _WEEK
    age = max((today - bought.first_on).days / _WEEK, last)
    often = buying.expected(again, last, age, _AHEAD)
    day_minor = None
    if model.p is not None and model.q is not None and model.v is not None:
        mean = max(bought.later_minor, 0) / again if again else 0
        day_minor = round(Spending(model.p, model.q, model.v).expected(again, mean))
    return Worth(
        currency=model.currency,
        alive=buying.alive(again, last, age),
        buying_days=often,
        day_minor=day_minor,
        value_minor=None if day_minor is None else round(often * day_minor),
        fitted_at=model.fitted_at,
    )
