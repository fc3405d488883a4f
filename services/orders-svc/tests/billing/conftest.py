"""An invoice without a database."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kantis_kit.ids import new_id
from orders_svc.billing.model import Invoice, InvoiceLine, InvoiceVat
from orders_svc.billing.parties import Buyer, agreement_of, seller_of
from orders_svc.billing.queries import Sheet
from orders_svc.orders.model import SalesOrder
from orders_svc.settings import OrdersSettings


@pytest.fixture
def sheet_of():
    """Make an invoice in a language, for goods of a name."""

    def make(language: str, name: str) -> Sheet:
        settings = OrdersSettings()
        order_id, person_id, at = new_id(), new_id(), datetime(2026, 3, 2, tzinfo=UTC)
        order = SalesOrder(
            order_id=order_id,
            number="100001",
            person_id=person_id,
            total_minor=12_500,
            currency="NOK",
            placed_at=at,
        )
        line = InvoiceLine(
            invoice_id=new_id(),
            line_no=1,
            product_id=new_id(),
            sku="BLANKET",
            name=name,
            quantity=1,
            unit_price_minor=12_500,
            vat_pct=Decimal(25),
            amount_minor=12_500,
        )
        invoice = Invoice(
            invoice_id=new_id(),
            order_id=order_id,
            person_id=person_id,
            company="974760673",
            year=2026,
            series_number=1,
            number="2026-000001",
            reference="1000000016",
            reference_kind="kid_mod10",
            language=language,
            recipient=f"{name}\nStorgata 9\n0155 Oslo",
            seller=seller_of(settings, agreement_of(settings, "NOK")).model_dump(),
            buyer=Buyer(
                name=name, street="Storgata 9", postal_code="0155", city="Oslo", country="NO"
            ).model_dump(),
            net_minor=10_000,
            vat_minor=2_500,
            total_minor=12_500,
            currency="NOK",
            issued_at=at,
            due_on=date(2026, 3, 16),
        )
        share = InvoiceVat(
            invoice_id=invoice.invoice_id, vat_pct=Decimal(25), net_minor=10_000, vat_minor=2_500
        )
        return Sheet(invoice, order, [line], [share])

    return make
