"""What a collection agency is told: cases, payments to us, reversals, withdrawals; each once, in files that are kept.

A file reads the same each time it is fetched.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, func
from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_kit.calendar import date_in
from kantis_kit.csv_rows import quoted
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from orders_svc.billing.model import Invoice
from orders_svc.claims.model import Claim
from orders_svc.dunning.cases import gather
from orders_svc.dunning.model import AgencyFile, AgencyLine, DunningCase, DunningStep
from orders_svc.dunning.schemas import Step
from orders_svc.payments.model import MatchedBy, Payment
from orders_svc.settings import OrdersSettings

COLUMNS = (
    "kind", "key", "invoice_number", "reference", "debtor", "debtor_kind", "country", "currency", "principal_minor",
    "fee_minor", "interest_minor", "amount_minor", "issued_on", "due_on", "on", "why",
)  # fmt: skip
"""What a line of a file for the agency holds; `kind` is case, payment, reversal or withdrawal."""
MAX_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, and under what key it is told once."""

    kind: str
    key: str
    invoice: Invoice
    content: dict[str, Any]
    payment_id: UUID | None = None


async def write_file(tx: Tx) -> AgencyFile | None:
    """Write what the agency has not been told; None when it knows everything."""
    lines = [*await _cases(tx), *await _money(tx), *await _withdrawals(tx)][:MAX_LINES]
    if not lines:
        return None
    file = AgencyFile(file_id=new_id(), way="out", lines=len(lines), made_at=tx.clock.now())
    await keep_lines(tx, file, lines)
    return file


async def lines_of(tx: ReadTx, file_id: UUID) -> list[dict[str, Any]]:
    """Return the lines of a file in their sequence."""
    rows = await tx.scalars(
        select(AgencyLine)
        .where(col(AgencyLine.file_id) == file_id)
        .order_by(col(AgencyLine.line_no))
    )
    return [one.content for one in rows]


def as_csv(lines: Iterable[dict[str, Any]]) -> str:
    """Return lines as CSV; nothing in it is a formula to a spreadsheet program."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for line in lines:
        cells = {name: line.get(name, "") for name in COLUMNS}
        writer.writerow(
            {name: quoted(one) if isinstance(one, str) else one for name, one in cells.items()}
        )
    return out.getvalue()


async def _cases(tx: ReadTx) -> list[Line]:
    """Return the cases that were handed over and are not told yet."""
    key = cast(col(DunningStep.invoice_id), String) + "/" + cast(col(DunningStep.version), String)
    rows = await tx.execute(
        select(Invoice, DunningStep, key.label("key"))
        .join(DunningStep, col(DunningStep.invoice_id) == col(Invoice.invoice_id))
        .join(DunningCase, col(DunningCase.invoice_id) == col(Invoice.invoice_id))
        .where(
            col(DunningStep.step) == Step.HAND_OVER.value,
            col(DunningCase.state) == DunningState.WITH_AGENCY.value,
            key.not_in(select(col(AgencyLine.key)).where(col(AgencyLine.kind) == "case")),
        )
        .order_by(key)
        .limit(MAX_LINES)
    )
    found = rows.all()
    invoices = [row.Invoice for row in found]
    today = date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    situations = {
        one.invoice.invoice_id: one.situation for one in await gather(tx, invoices, today)
    }
    sums = await _claim_sums(tx, [one.invoice_id for one in invoices])
    lines = []
    for row in found:
        one, invoice = situations[row.Invoice.invoice_id], row.Invoice
        beside = sums.get(invoice.invoice_id, {})
        lines.append(
            _line(
                "case",
                row.key,
                invoice,
                debtor=invoice.recipient.replace("\n", ", "),
                debtor_kind=one.debtor.value,
                country=one.country,
                fee_minor=sum(minor for kind, minor in beside.items() if kind != "interest"),
                interest_minor=beside.get("interest", 0),
                on=str(row.DunningStep.taken_on),
                why=row.DunningStep.why,
            )
        )
    return lines


async def _claim_sums(tx: ReadTx, invoice_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    left = col(Claim.amount_minor) - col(Claim.paid_minor) - col(Claim.waived_minor)
    rows = await tx.execute(
        select(col(Claim.invoice_id), col(Claim.kind), func.sum(left).label("minor"))
        .where(col(Claim.invoice_id).in_(invoice_ids))
        .group_by(col(Claim.invoice_id), col(Claim.kind))
    )
    found: dict[UUID, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.invoice_id, {})[row.kind] = int(row.minor)
    return found


async def _money(tx: ReadTx) -> list[Line]:
    """Return what was paid to us, or taken back, while the agency asks for it."""
    handed = (
        select(func.max(col(DunningStep.entered_at)))
        .where(
            col(DunningStep.invoice_id) == col(Payment.invoice_id),
            col(DunningStep.step) == Step.HAND_OVER.value,
        )
        .scalar_subquery()
    )
    told = select(col(AgencyLine.payment_id)).where(col(AgencyLine.payment_id).is_not(None))
    rows = await tx.execute(
        select(Invoice, Payment)
        .join(Payment, col(Payment.invoice_id) == col(Invoice.invoice_id))
        .join(DunningCase, col(DunningCase.invoice_id) == col(Invoice.invoice_id))
        .where(
            col(DunningCase.state) == DunningState.WITH_AGENCY.value,
            col(Payment.booked_at) >= handed,
            col(Payment.matched_by) != MatchedBy.AGENCY.value,
            col(Payment.payment_id).not_in(told),
        )
        .order_by(col(Payment.payment_id))
        .limit(MAX_LINES)
    )
    return [
        _line(
            "reversal" if row.Payment.is_reversal else "payment",
            str(row.Payment.payment_id),
            row.Invoice,
            payment_id=row.Payment.payment_id,
            amount_minor=row.Payment.worth_minor,
            on=str(row.Payment.paid_on),
        )
        for row in rows
    ]


async def _withdrawals(tx: ReadTx) -> list[Line]:
    """Return the cases that the agency has and that were taken back from it."""
    key = cast(col(DunningStep.invoice_id), String) + "/" + cast(col(DunningStep.version), String)
    told = select(col(AgencyLine.invoice_id)).where(col(AgencyLine.kind) == "case")
    rows = await tx.execute(
        select(Invoice, DunningStep, key.label("key"))
        .join(DunningStep, col(DunningStep.invoice_id) == col(Invoice.invoice_id))
        .where(
            col(DunningStep.step) == Step.TAKE_BACK.value,
            ~col(DunningStep.why).startswith("agency:"),
            col(DunningStep.invoice_id).in_(told),
            key.not_in(select(col(AgencyLine.key)).where(col(AgencyLine.kind) == "withdrawal")),
        )
        .order_by(key)
        .limit(MAX_LINES)
    )
    return [
        _line(
            "withdrawal",
            row.key,
            row.Invoice,
            on=str(row.DunningStep.taken_on),
            why=row.DunningStep.why,
        )
        for row in rows
    ]


def _line(
    kind: str, key: str, invoice: Invoice, payment_id: UUID | None = None, **more: Any
) -> Line:
    content = {
        "kind": kind,
        "key": key,
        "invoice_number": invoice.number,
        "reference": invoice.reference,
        "currency": invoice.currency,
        "principal_minor": invoice.open_minor,
        "issued_on": str(invoice.issued_at.date()),
        "due_on": str(invoice.due_on),
        **more,
    }
    return Line(kind, key, invoice, content, payment_id)


async def keep_lines(tx: Tx, file: AgencyFile, lines: Sequence[Line]) -> None:
    """Keep a file and what it tells."""
    tx.add(file)
    await tx.flush()  # the lines refer to it
    tx.add_all(
        AgencyLine(
            file_id=file.file_id,
            line_no=number,
            kind=one.kind,
            key=one.key,
            invoice_id=one.invoice.invoice_id,
            payment_id=one.payment_id,
            content=one.content,
        )
        for number, one in enumerate(lines, 1)
    )
