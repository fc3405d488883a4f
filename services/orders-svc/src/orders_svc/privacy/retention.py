"""How long orders keeps what tells of people; the reasons stand in contacts-svc, where the periods are decided."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Table, delete, literal, not_, null, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from kantis_kit.calendar import DEFAULT_COUNTRY, ZONES, date_in
from kantis_kit.retention import BATCH, Rule
from kantis_kit.tx import Tx
from orders_svc.base import table_of
from orders_svc.billing.model import Invoice, is_owed
from orders_svc.orders.model import SalesOrder
from orders_svc.packing.model import Parcel
from orders_svc.payments.model import Payment, PaymentState
from orders_svc.postal_returns.model import PostalReturn
from orders_svc.privacy.model import RestrictedRecipient, legal_years
from orders_svc.responses.model import WORDLESS, Response, has_words
from orders_svc.returns.model import GoodsReturn
from orders_svc.settings import OrdersSettings
from orders_svc.shipments.model import Shipment

_order, _response = table_of(SalesOrder), table_of(Response)
_shipment, _parcel = table_of(Shipment), table_of(Parcel)
_return, _post = table_of(GoodsReturn), table_of(PostalReturn)
_restricted = table_of(RestrictedRecipient)
_payment, _invoice = table_of(Payment), table_of(Invoice)
_DELIVERY_DAYS = 395


def _delivery(
    table: Table, at: ColumnElement[Any], values: dict[str, Any], where: ColumnElement[bool]
) -> Rule:
    """Return the rule of what stands beside an order's delivery: as old as the order's own words may be."""
    return Rule("orders.sales_order", _DELIVERY_DAYS, table, at, values=values, where=where)


RULES = (
    _delivery(
        _order,
        _order.c.shipped_at,
        {"ship_to": null(), "tracking": ""},
        or_(_order.c.ship_to.is_not(None), _order.c.tracking != ""),
    ),
    _delivery(_shipment, _shipment.c.shipped_at, {"tracking": ""}, _shipment.c.tracking != ""),
    _delivery(_parcel, _parcel.c.packed_at, {"tracking": ""}, _parcel.c.tracking != ""),
    _delivery(_return, _return.c.settled_at, {"reason": ""}, _return.c.reason != ""),
    _delivery(_post, _post.c.noted_at, {"new_address": null()}, _post.c.new_address.is_not(None)),
    Rule(
        "orders.response",
        1_095,
        _response,
        _response.c.answered_at,
        values=WORDLESS,
        where=has_words(),
    ),
)


async def empty_books(tx: Tx) -> None:
    """Take names out of the books of years that the law does not want kept any more: who paid, and who was asked to.

    What was paid for what stays. What nobody could place, and what is still owed, keeps its name: somebody needs it.
    """
    settings = tx.settings(OrdersSettings)
    today = date_in(tx.clock.now(), settings.company_country)
    # A voucher of a year is kept until the end of the last of the years after it.
    kept_from = datetime(
        today.year - legal_years(settings.company_country),
        1,
        1,
        tzinfo=ZoneInfo(ZONES.get(settings.company_country, ZONES[DEFAULT_COUNTRY])),
    )
    words = ("payer_name", "payer_account", "remittance")
    paid = (
        select(_payment.c.payment_id)
        .where(
            _payment.c.booked_at < kept_from,
            _payment.c.state != PaymentState.UNMATCHED.value,
            or_(*(_payment.c[word] != "" for word in words)),
        )
        .limit(BATCH)
    )
    await tx.execute(
        update(_payment).where(_payment.c.payment_id.in_(paid)).values(**dict.fromkeys(words, ""))
    )
    asked = (
        select(_invoice.c.invoice_id)
        .where(_invoice.c.issued_at < kept_from, _invoice.c.recipient != "", not_(is_owed()))
        .limit(BATCH)
    )
    await tx.execute(
        update(_invoice)
        .where(_invoice.c.invoice_id.in_(asked))
        .values(recipient="", buyer=literal({}, JSONB()))
    )


async def drop_restricted(tx: Tx) -> None:
    """Delete to whom invoices were made out, once the law does not want it kept any more."""
    today = (tx.clock.now() - timedelta(days=1)).date()
    old = select(_restricted.c.invoice_id).where(_restricted.c.keep_until < today).limit(BATCH)
    await tx.execute(delete(_restricted).where(_restricted.c.invoice_id.in_(old)))
