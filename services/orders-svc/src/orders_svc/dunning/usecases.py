"""Follow up invoices that are not paid.

Steps are taken by the clock, or entered as they were taken by a person or another system. The law's tables say from
which day on each is lawful and what it may cost; nobody is asked for money before it is due, after it is paid, while
they dispute it, or while an agency asks for it.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_kit.calendar import date_in
from kantis_kit.tx import Tx
from orders_svc.billing.errors import InvoiceNotFound
from orders_svc.billing.model import Invoice
from orders_svc.claims import usecases as claims
from orders_svc.claims.model import ClaimKind
from orders_svc.dunning import events, ladder
from orders_svc.dunning.cases import Case, gather, house_of
from orders_svc.dunning.errors import StepNotNow, StepOfAnotherDay
from orders_svc.dunning.model import CLAIMS, HOLDS, DunningCase, DunningStep
from orders_svc.dunning.schemas import Step, StepIn
from orders_svc.law.tables import Ladder, ladder_of
from orders_svc.settings import OrdersSettings

_HELD = {
    DunningState.PAUSED: "it is paused; resume it first",
    DunningState.DISPUTED: "it is disputed, and a disputed claim is not asked for; resume it when that is settled",
    DunningState.WITH_AGENCY: "an agency asks for it; take it back first",
}


@dataclass(frozen=True, slots=True)
class Entered:
    """A step with what it costs and says; what is claimed with it is claimed in the same transaction."""

    step: Step
    on: date
    fee_minor: int = 0
    compensation_minor: int = 0
    interest_minor: int = 0
    pay_by: date | None = None
    why: str = ""
    resume_on: date | None = None


async def take_step(tx: Tx, invoice_id: UUID, given: StepIn) -> DunningCase:
    """Enter a step about an invoice, and tell where its dunning stands now.

    Raises:
        InvoiceNotFound: no invoice has this id.
        StepNotNow: the case is not where this step begins, or a fee is asked for that the law does not give.
        StepOfAnotherDay: the step lies in the future, or before the first day on which it is lawful.
    """
    invoice = await lock_invoice(tx, invoice_id)
    settings = tx.settings(OrdersSettings)
    today = date_in(tx.clock.now(), settings.company_country)
    day = given.taken_on or today
    if day > today:
        raise StepOfAnotherDay(
            f"taken_on: {day} lies in the future; enter a step when it was taken"
        )
    if given.until is not None and (given.step is not Step.PAUSE or given.until <= today):
        raise StepOfAnotherDay("until: a pause lasts until a day to come; no other step has an end")
    entered = Entered(given.step, day, why=given.note, resume_on=given.until)
    (case,) = await gather(tx, [invoice], day)
    if given.step in CLAIMS:
        entered = _lawful(case, given, day, settings)
    return await enter(tx, case, entered)


async def enter(tx: Tx, case: Case, entered: Entered) -> DunningCase:
    """Take a step: keep it, claim what goes with it, and tell. Raises `StepNotNow`."""
    invoice, now = case.invoice, tx.clock.now()
    held = case.case
    if held is None:
        held = DunningCase(invoice_id=invoice.invoice_id, changed_at=now)
        tx.add(held)
    _move(held, entered)
    held.version += 1
    held.changed_at = now
    await tx.flush()
    tx.add(
        DunningStep(
            invoice_id=invoice.invoice_id,
            version=held.version,
            step=entered.step.value,
            taken_on=entered.on,
            pay_by=entered.pay_by,
            fee_minor=entered.fee_minor,
            interest_minor=entered.interest_minor,
            why=entered.why,
            actor=tx.actor,
            entered_at=now,
        )
    )
    one = case.situation
    law = ladder_of(one.country, one.debtor, one.due_on)
    if law is not None:
        await claims.claim(tx, invoice, _claims(entered, law), on=entered.on)
    tx.stage(events.dunning_changed(held, invoice))
    return held


async def lock_invoice(tx: Tx, invoice_id: UUID) -> Invoice:
    """Return an invoice locked until the end of the transaction. Raises `InvoiceNotFound`."""
    invoice: Invoice | None = await tx.scalar(
        select(Invoice)
        .where(col(Invoice.invoice_id) == invoice_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the id {invoice_id}")
    return invoice


async def waive(tx: Tx, invoice_id: UUID) -> int:
    """Give up what is open beside an invoice; return how much that was. Raises `InvoiceNotFound`."""
    invoice = await lock_invoice(tx, invoice_id)
    waived = await claims.waive(tx, invoice)
    tx.audit("claims.waive", str(invoice_id), minor=waived)
    return waived


def _lawful(case: Case, given: StepIn, day: date, settings: OrdersSettings) -> Entered:
    """Return a step by which money is asked for, with its lawful fee.

    Raises:
        StepNotNow: it is paid, or the law gives no fee for this.
        StepOfAnotherDay: it was too early, with the first lawful day.
    """
    invoice, house = case.invoice, house_of(settings)
    if not invoice.open_minor:
        raise StepNotNow(f"Invoice {invoice.number} is paid")
    try:
        first, why = ladder.first_lawful_day(
            case.situation, given.step, house, with_fee=given.with_fee
        )
    except ladder.NoLaw as error:
        raise StepNotNow(f"{given.step.value} {error}") from error
    if day < first:
        what = f"{given.step.value}{' with a fee' if given.with_fee else ''}"
        raise StepOfAnotherDay(
            f"taken_on: {what} is lawful from {first} for invoice {invoice.number}, which is due on "
            f"{case.situation.due_on} ({case.situation.country}): {why}",
            first_lawful_day=str(first),
        )
    fee = ladder.fee_at(case.situation, given.step, house) if given.with_fee else 0
    return Entered(given.step, day, fee_minor=fee, why=given.note)


def _claims(entered: Entered, law: Ladder) -> list[claims.NewClaim]:
    wanted = (
        (ClaimKind.FEE, entered.fee_minor),
        (ClaimKind.COMPENSATION, entered.compensation_minor),
        (ClaimKind.INTEREST, entered.interest_minor),
    )
    return [
        claims.NewClaim(kind, minor, law.rank_of(kind.value), entered.why) for kind, minor in wanted
    ]


def _move(case: DunningCase, entered: Entered) -> None:
    """Bring a case where a step leads. Raises `StepNotNow`."""
    state, step = DunningState(case.state), entered.step
    if step in CLAIMS:
        if state in _HELD:
            raise StepNotNow(f"{step.value}: {_HELD[state]}")
        case.before = state.value
        case.state = CLAIMS[step].value
        case.reminders += step is Step.REMIND
    elif step in (Step.PAUSE, Step.DISPUTE):
        held = DunningState.PAUSED if step is Step.PAUSE else DunningState.DISPUTED
        if state is held:
            raise StepNotNow(f"{step.value}: it is {state.value} already")
        if state not in HOLDS:
            case.before = state.value
        case.state, case.resume_on = held.value, entered.resume_on
    elif step is Step.END:
        case.state = case.before = DunningState.NONE.value
    else:
        begins = HOLDS if step is Step.RESUME else (DunningState.WITH_AGENCY,)
        if state not in begins:
            raise StepNotNow(
                f"{step.value}: it is {state.value}, not {' or '.join(one.value for one in begins)}"
            )
        case.state, case.resume_on = case.before, None
