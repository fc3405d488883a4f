"""Follow up invoices that are not paid.

Steps are entered as they were taken, by a person or by another system. What the law asks of a claim is kept here as far
as it needs no rates: nobody is asked for money before it is due, after it is paid, while they dispute it, or while an
agency asks for it.
"""

from datetime import date
from uuid import UUID

from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_kit.tx import Tx
from orders_svc.billing.errors import InvoiceNotFound
from orders_svc.billing.model import Invoice
from orders_svc.calendar import DEFAULT_COUNTRY, date_in
from orders_svc.dunning import events
from orders_svc.dunning.errors import StepNotNow, StepOfAnotherDay
from orders_svc.dunning.model import CLAIMS, HOLDS, DunningCase, DunningStep
from orders_svc.dunning.schemas import Step

_HELD = {
    DunningState.PAUSED: "it is paused; resume it first",
    DunningState.DISPUTED: "it is disputed, and a disputed claim is not asked for; resume it when that is settled",
    DunningState.WITH_AGENCY: "an agency asks for it; take it back first",
}


async def take_step(tx: Tx, invoice_id: UUID, step: Step, *, taken_on: date | None) -> DunningCase:
    """Enter a step about an invoice, and tell where its dunning stands now.

    Raises:
        InvoiceNotFound: no invoice has this id.
        StepNotNow: the case is not where this step begins.
        StepOfAnotherDay: the step lies in the future, or asks for money before it is due.
    """
    invoice: Invoice | None = await tx.scalar(
        select(Invoice).where(col(Invoice.invoice_id) == invoice_id).with_for_update(key_share=True)
    )
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the id {invoice_id}")
    now = tx.clock.now()
    today = date_in(now, DEFAULT_COUNTRY)
    day = taken_on or today
    if day > today:
        raise StepOfAnotherDay(
            f"taken_on: {day} lies in the future; enter a step when it was taken"
        )
    if step in CLAIMS:
        _check_claim(invoice, day)
    case = await tx.get(DunningCase, invoice_id)
    if case is None:
        case = DunningCase(invoice_id=invoice_id, changed_at=now)
        tx.add(case)
    _move(case, step)
    case.version += 1
    case.changed_at = now
    await tx.flush()
    tx.add(
        DunningStep(
            invoice_id=invoice_id,
            version=case.version,
            step=step.value,
            taken_on=day,
            actor=tx.actor,
            entered_at=now,
        )
    )
    tx.stage(events.dunning_changed(case, invoice))
    return case


def _check_claim(invoice: Invoice, day: date) -> None:
    if not invoice.open_minor:
        raise StepNotNow(f"Invoice {invoice.number} is paid")
    if day <= invoice.due_on:
        raise StepOfAnotherDay(
            f"taken_on: invoice {invoice.number} is due on {invoice.due_on}; nobody is reminded before the day after"
        )


def _move(case: DunningCase, step: Step) -> None:
    """Bring a case where a step leads. Raises `StepNotNow`."""
    state = DunningState(case.state)
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
        case.state = held.value
    elif step is Step.END:
        case.state = case.before = DunningState.NONE.value
    else:
        begins = HOLDS if step is Step.RESUME else (DunningState.WITH_AGENCY,)
        if state not in begins:
            raise StepNotNow(
                f"{step.value}: it is {state.value}, not {' or '.join(one.value for one in begins)}"
            )
        case.state = case.before
