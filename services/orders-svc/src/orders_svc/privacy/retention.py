"""How long orders keeps what tells of people; the reasons stand in contacts-svc, where the periods are decided."""

from datetime import timedelta

from sqlalchemy import delete, null, or_, select

from kantis_kit.retention import BATCH, Rule
from kantis_kit.tx import Tx
from orders_svc.base import Base
from orders_svc.orders.model import SalesOrder
from orders_svc.privacy.model import RestrictedRecipient
from orders_svc.responses.model import Response

_order, _response = (Base.metadata.tables[str(one.__tablename__)] for one in (SalesOrder, Response))
_restricted = Base.metadata.tables[str(RestrictedRecipient.__tablename__)]

RULES = (
    Rule(
        "orders.sales_order",
        395,
        _order,
        _order.c.shipped_at,
        values={"ship_to": null(), "tracking": ""},
        where=or_(_order.c.ship_to.is_not(None), _order.c.tracking != ""),
    ),
    Rule(
        "orders.response",
        1_095,
        _response,
        _response.c.answered_at,
        values={"note": "", "answer": "", "address_correction": null()},
        where=or_(
            _response.c.note != "",
            _response.c.answer != "",
            _response.c.address_correction.is_not(None),
        ),
    ),
)


async def drop_restricted(tx: Tx) -> None:
    """Delete to whom invoices were made out, once the law does not want it kept any more."""
    today = (tx.clock.now() - timedelta(days=1)).date()
    old = select(_restricted.c.invoice_id).where(_restricted.c.keep_until < today).limit(BATCH)
    await tx.execute(delete(_restricted).where(_restricted.c.invoice_id.in_(old)))
