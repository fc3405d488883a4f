"""Fit the models to the customers."""

import asyncio
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from analytics_svc.worth import queries
from analytics_svc.worth.model import WorthModel
from analytics_svc.worth.models import CannotFit, Spending, fit_buying, fit_spending
from analytics_svc.worth.queries import Customers, Repeaters
from analytics_svc.worth.schemas import FittedOut, NotFitted
from kantis_kit.tx import Tx


async def fit_models(tx: Tx) -> FittedOut:
    """Fit the models of every currency; where that cannot be, the one from before stays, and it is said why."""
    now = tx.clock.now()
    refused = []
    for currency in await queries.list_currencies(tx):
        customers = await queries.get_customers(tx, currency, now.date())
        repeaters = await queries.get_repeaters(tx, currency)
        try:
            # A search of some seconds: the loop serves others meanwhile.
            model = await asyncio.to_thread(_fitted, currency, customers, repeaters, now)
        except CannotFit as error:
            refused.append(NotFitted(currency=currency, reason=str(error)))
            continue
        put = insert(WorthModel).values(model.model_dump())
        names = [name for name in WorthModel.model_fields if name != "currency"]
        await tx.execute(
            put.on_conflict_do_update(
                index_elements=["currency"], set_={name: put.excluded[name] for name in names}
            )
        )
    return FittedOut(models=await queries.list_models(tx), not_fitted=refused)


def _fitted(currency: str, customers: Customers, repeaters: Repeaters, now: datetime) -> WorthModel:
    buying = fit_buying(customers.again, customers.last, customers.age, customers.count)
    spending: Spending | None
    try:
        spending = fit_spending(repeaters.again, repeaters.mean_minor, repeaters.count)
    except CannotFit:
        spending = None
    return WorthModel(
        currency=currency,
        fitted_at=now,
        buyers=round(sum(customers.count)),
        repeaters=round(
            sum(n for again, n in zip(customers.again, customers.count, strict=True) if again)
        ),
        r=buying.r,
        alpha=buying.alpha,
        a=buying.a,
        b=buying.b,
        p=spending.p if spending else None,
        q=spending.q if spending else None,
        v=spending.v if spending else None,
    )
