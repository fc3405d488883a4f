"""Invoices: gapless numbers, references used once, VAT, paper."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from kantis_kit.errors import KantisError
from orders_svc.billing.references import luhn_digit, mod11_digit
from orders_svc.billing.schemas import InvoiceKind
from orders_svc.billing.usecases import draw_numbers, draw_references
from orders_svc.settings import PaymentAgreement

DRAWS = 50


def agreement(layout):
    return PaymentAgreement(currency="NOK", account="1503 40 12345", layout=layout)


class Dies(KantisError):
    """What a transaction does that never commits."""


@pytest.mark.parametrize("kind", list(InvoiceKind))
async def test_fifty_draws_at_once_with_every_fifth_dying_leave_no_gap_and_no_twin(desk, kind):
    drawn: list[int] = []

    async def draw(turn: int) -> None:
        async with desk.tx() as tx:
            numbers = await draw_numbers(tx, kind, "974760673", 2026, 1 + turn % 2)
            if turn % 5 == 0:
                raise Dies
        drawn.extend(number for number, _ in numbers)

    await asyncio.gather(*(draw(turn) for turn in range(DRAWS)), return_exceptions=True)

    kept = sum(1 + turn % 2 for turn in range(DRAWS) if turn % 5)
    assert list(range(1, kept + 1)) == sorted(drawn)


async def test_every_company_year_and_kind_has_its_own_series(desk):
    invoice, note = InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE
    async with desk.tx() as tx:
        drawn = [
            await draw_numbers(tx, *series)
            for series in (
                (invoice, "a", 2026, 3),
                (invoice, "a", 2027, 1),
                (note, "a", 2026, 1),
                (invoice, "b", 2026, 1),
                (invoice, "a", 2026, 1),
                (note, "a", 2026, 1),
            )
        ]

    assert [1, 1, 1, 1, 4, 2] == [numbers[0][0] for numbers in drawn]
    assert ["2026-000004", "K2026-000002"] == [numbers[0][1] for numbers in drawn[-2:]]


@pytest.mark.parametrize(
    ("layout", "digit"), [("kid_mod10", luhn_digit), ("kid_mod11", mod11_digit)]
)
async def test_references_have_one_length_their_control_digit_and_no_twin(desk, layout, digit):
    async with desk.tx() as tx:
        references = await draw_references(tx, 40, agreement(layout))

    assert 40 == len(set(references))
    assert {10} == {len(reference) for reference in references}
    assert all(digit(reference[:-1]) == reference[-1] for reference in references)


async def test_a_base_whose_reference_would_end_in_a_dash_is_passed_over(desk):
    without = next(base for base in range(100_000_001, 100_000_100) if not mod11_digit(str(base)))
    async with desk.tx() as tx:
        gone = without - 100_000_001
        drawn = text("SELECT nextval('kid_base') FROM generate_series(1, cast(:gone AS int))")
        await tx.execute(drawn, {"gone": gone})
        (reference,) = await draw_references(tx, 1, agreement("kid_mod11"))

    assert f"{without + 1}" == reference[:-1]


async def test_an_invoice_splits_vat_per_rate_and_is_due_in_a_fortnight(desk):
    await desk.ready("ABCDE2")
    await desk.product(5, sku="BOOK", name="Bok", price_minor=33_333, vat_pct=0)
    await desk.product(5, sku="CAKE", name="Kake", price_minor=9_999, vat_pct=15)
    answer = await desk.order(
        code="ABCDE2",
        lines=[{"sku": sku, "quantity": 2} for sku in ("BLANKET", "BOOK", "CAKE")],
    )

    invoice = await desk.ship(answer["order_id"])

    assert [(0, 66_666, 0), (15, 17_390, 2_608), (25, 39_840, 9_960)] == [
        (share["vat_pct"], share["net_minor"], share["vat_minor"]) for share in invoice["vat"]
    ]
    assert 2 * (24_900 + 33_333 + 9_999) == invoice["total_minor"]
    assert ("2026-03-16", "2026-000001") == (invoice["due_on"], invoice["number"])


async def test_an_invoice_of_the_last_evening_belongs_to_the_year_of_the_companys_country(desk):
    await desk.ready("ABCDE2")
    answer = await desk.order(code="ABCDE2")
    desk.rig.clock.set(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    async with desk.rig.client() as desk.client:
        invoice = await desk.ship(answer["order_id"])

    assert ("2027-000001", "2027-01-15") == (invoice["number"], invoice["due_on"])


async def test_an_order_of_nothing_is_paid_when_it_ships(desk):
    person = desk.person()
    sample = await desk.product(5, sku="SAMPLE", price_minor=0)
    await desk.rig.publish(desk.piece(person, sample, "ABCDE2", price=0))
    await desk.drain()
    answer = await desk.order(code="ABCDE2")

    invoice = await desk.ship(answer["order_id"])
    order = await desk.get(f"/v1/orders/{answer['order_id']}")

    assert (0, 0) == (invoice["total_minor"], invoice["open_minor"])
    assert order["is_paid"]
    assert {} == await desk.accounts()


async def test_an_invoice_is_printed_the_same_each_time_outside_of_a_transaction(desk):
    await desk.ready("ABCDE2", full_name="Åse Øvergård")
    answer = await desk.order(code="ABCDE2")
    invoice = await desk.ship(answer["order_id"])
    path = f"/v1/invoices/{invoice['invoice_id']}/pdf"

    first, second = [await desk.client.get(path) for _ in range(2)]
    unknown = await desk.client.get(f"/v1/invoices/{answer['order_id']}/pdf")

    assert "application/pdf" == first.headers["content-type"]
    assert first.content == second.content
    assert first.content.startswith(b"%PDF-")
    assert 404 == unknown.status_code
