"""Read how unpaid invoices are followed up."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_kit.tx import ReadTx
from orders_svc.billing.model import Invoice, is_owed
from orders_svc.billing.queries import get_invoice
from orders_svc.claims.model import Claim
from orders_svc.dunning.errors import AgencyFileNotFound
from orders_svc.dunning.model import AgencyFile, DunningCase, DunningStep
from orders_svc.dunning.schemas import CaseOut, ClaimOut, StepOut


async def show_case(tx: ReadTx, invoice_id: UUID) -> CaseOut:
    """Return how an invoice is followed up, with every step. Raises `InvoiceNotFound`."""
    invoice = await get_invoice(tx, invoice_id)
    case = await tx.get(DunningCase, invoice_id)
    shown = _shown(invoice, case)
    steps = await tx.scalars(
        select(DunningStep)
        .where(col(DunningStep.invoice_id) == invoice_id)
        .order_by(col(DunningStep.version))
    )
    claims = await tx.scalars(
        select(Claim)
        .where(col(Claim.invoice_id) == invoice_id)
        .order_by(col(Claim.claimed_on), col(Claim.claim_id))
    )
    shown.claims = [ClaimOut.model_validate(one) for one in claims]
    shown.steps = [StepOut.model_validate(step) for step in steps]
    return shown


async def list_cases(
    tx: ReadTx,
    *,
    states: Iterable[DunningState],
    person_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[CaseOut]:
    """Return a page of the invoices that are followed up and not paid, in the sequence of their issue."""
    statement = (
        select(Invoice, DunningCase)
        .join(DunningCase, col(DunningCase.invoice_id) == col(Invoice.invoice_id))
        .where(is_owed())
        .order_by(col(Invoice.invoice_id))
        .limit(limit)
    )
    chosen = [state.value for state in states]
    statement = statement.where(
        col(DunningCase.state).in_(chosen)
        if chosen
        else col(DunningCase.state) != DunningState.NONE.value
    )
    if person_id is not None:
        statement = statement.where(col(Invoice.person_id) == person_id)
    if after is not None:
        statement = statement.where(col(Invoice.invoice_id) > after)
    rows = await tx.execute(statement)
    return [_shown(row.Invoice, row.DunningCase) for row in rows]


async def list_agency_files(tx: ReadTx, *, after: UUID | None, limit: int) -> list[AgencyFile]:
    """Return a page of the files for the agency and from it."""
    statement = select(AgencyFile).order_by(col(AgencyFile.file_id)).limit(limit)
    if after is not None:
        statement = statement.where(col(AgencyFile.file_id) > after)
    return list(await tx.scalars(statement))


async def get_agency_file(tx: ReadTx, file_id: UUID) -> AgencyFile:
    """Return a file for the agency. Raises `AgencyFileNotFound`."""
    file = await tx.get(AgencyFile, file_id)
    if file is None or file.way != "out":
        raise AgencyFileNotFound(f"No file for the agency has the id {file_id}")
    return file


def _shown(invoice: Invoice, case: DunningCase | None) -> CaseOut:
    return CaseOut(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        person_id=invoice.person_id,
        state=DunningState(case.state) if case else DunningState.NONE,
        reminders=case.reminders if case else 0,
        version=case.version if case else 0,
        due_on=invoice.due_on,
        open_minor=invoice.open_minor,
        currency=invoice.currency,
        is_over=not invoice.open_minor,
        resume_on=case.resume_on if case else None,
        changed_at=case.changed_at if case else None,
    )
