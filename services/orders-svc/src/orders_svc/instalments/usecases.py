"""Let an invoice be paid in parts; while they are kept, nobody is reminded of it."""

from calendar import monthrange
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.calendar import date_in
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from orders_svc.billing.errors import InvoiceNotFound
from orders_svc.billing.model import Invoice
from orders_svc.billing.queries import get_invoice
from orders_svc.claims import usecases as claims
from orders_svc.claims.model import ClaimKind
from orders_svc.credit.queries import debtor_of, terms_of
from orders_svc.instalments.errors import PlanDoesNotFit, PlanNotFound, PlanStands
from orders_svc.instalments.model import Instalment, InstalmentPlan
from orders_svc.instalments.queries import standings
from orders_svc.instalments.schemas import PartIn, PartOut, PlanIn, PlanOut
from orders_svc.law.tables import fee_of, ladder_of
from orders_svc.people.queries import find_person
from orders_svc.settings import OrdersSettings


async def make_plan(tx: Tx, invoice_id: UUID, given: PlanIn) -> PlanOut:
    """Make a plan for what is open of an invoice.

    Raises:
        InvoiceNotFound: no invoice has this id.
        PlanStands: it is paid, or has a plan already, or the law allows no fee for one.
        PlanDoesNotFit: the parts do not make up what is open, or their days are not in order.
    """
    invoice = await _lock(tx, invoice_id)
    if not invoice.open_minor:
        raise PlanStands(f"Invoice {invoice.number} is paid")
    if await standings(tx, [invoice]):
        raise PlanStands(f"Invoice {invoice.number} has a plan; end it first")
    today = date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    parts = _parts(invoice, given, today)
    plan = InstalmentPlan(
        plan_id=new_id(),
        invoice_id=invoice_id,
        open_before_minor=invoice.open_minor,
        made_at=tx.clock.now(),
    )
    tx.add(plan)
    await tx.flush()  # the parts refer to it
    tx.add_all(
        Instalment(
            plan_id=plan.plan_id, number=number, due_on=one.due_on, amount_minor=one.amount_minor
        )
        for number, one in enumerate(parts, 1)
    )
    if given.with_fee:
        await _claim_fee(tx, invoice, today)
    await tx.flush()
    return await show_plan(tx, invoice_id)


async def end_plan(tx: Tx, invoice_id: UUID) -> None:
    """End the plan of an invoice: all that is open is due as it was. Raises `PlanNotFound`."""
    plan: InstalmentPlan | None = await tx.scalar(
        select(InstalmentPlan)
        .where(col(InstalmentPlan.invoice_id) == invoice_id, col(InstalmentPlan.state) == "active")
        .with_for_update()
    )
    if plan is None:
        raise PlanNotFound(f"The invoice {invoice_id} is not paid in instalments")
    plan.state, plan.ended_at = "ended", tx.clock.now()


async def show_plan(tx: ReadTx, invoice_id: UUID) -> PlanOut:
    """Return the plan of an invoice and how it is kept. Raises `InvoiceNotFound`, `PlanNotFound`."""
    invoice = await get_invoice(tx, invoice_id)
    found = (await standings(tx, [invoice])).get(invoice_id)
    if found is None:
        raise PlanNotFound(f"The invoice {invoice_id} is not paid in instalments")
    today = date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    late = found.overdue(today)
    return PlanOut(
        plan_id=found.plan.plan_id,
        invoice_id=invoice_id,
        state=found.plan.state,
        parts=[PartOut.model_validate(one) for one in found.parts],
        overdue_minor=late[1] if late else 0,
        made_at=found.plan.made_at,
    )


def _parts(invoice: Invoice, given: PlanIn, today: date) -> list[PartIn]:
    if bool(given.parts) == (given.count is not None and given.first_on is not None):
        raise PlanDoesNotFit("Send either `parts`, or `count` and `first_on`")
    parts = given.parts
    if given.count is not None and given.first_on is not None:
        share, rest = divmod(invoice.open_minor, given.count)
        if not share:
            raise PlanDoesNotFit(
                f"count: {invoice.open_minor} cannot be paid in {given.count} parts"
            )
        parts = [
            PartIn(
                due_on=_months_later(given.first_on, number),
                amount_minor=share + (rest if number == given.count - 1 else 0),
            )
            for number in range(given.count)
        ]
    days = [one.due_on for one in parts]
    if days != sorted(set(days)) or days[0] < today:
        raise PlanDoesNotFit(f"parts: each is due after the one before, and none before {today}")
    total = sum(one.amount_minor for one in parts)
    if total != invoice.open_minor:
        raise PlanDoesNotFit(f"parts: they make up {total}, and {invoice.open_minor} is open")
    return parts


def _months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or its last one when it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


async def _claim_fee(tx: Tx, invoice: Invoice, today: date) -> None:
    settings = tx.settings(OrdersSettings)
    person = await find_person(tx, invoice.person_id)
    country = (person.address_country or person.country) if person else settings.company_country
    debtor = debtor_of((await terms_of(tx, [invoice.person_id])).get(invoice.person_id))
    fee = fee_of(country, "instalment_plan", invoice.due_on)
    law = ladder_of(country, debtor, invoice.due_on)
    if fee is None or law is None or fee.currency != invoice.currency:
        raise PlanStands(
            f"with_fee: the law of {country} gives no fee for a plan in {invoice.currency}"
        )
    kind = ClaimKind.INSTALMENT_FEE
    why = f"{country}: fee for a plan, of the due dates from {fee.valid_from}"
    await claims.claim(
        tx, invoice, [claims.NewClaim(kind, fee.minor, law.rank_of(kind.value), why)], on=today
    )


async def _lock(tx: Tx, invoice_id: UUID) -> Invoice:
    invoice: Invoice | None = await tx.scalar(
        select(Invoice)
        .where(col(Invoice.invoice_id) == invoice_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the id {invoice_id}")
    return invoice
