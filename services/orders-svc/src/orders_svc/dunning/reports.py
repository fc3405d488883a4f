"""What a collection agency tells: what it collected, what it keeps for its work, which cases it gives back.

A file is checked whole before anything of it is booked, and each of its lines counts once, by the agency's own id.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_contracts.values import Currency
from kantis_kit.calendar import date_in
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing.ledger import Booking, Entry, book
from orders_svc.billing.model import Account, Invoice
from orders_svc.dunning.agency import Line, keep_lines
from orders_svc.dunning.cases import gather
from orders_svc.dunning.errors import AgencyFileRefused
from orders_svc.dunning.model import AgencyFile, AgencyLine, DunningStep
from orders_svc.dunning.schemas import AgencyReport, Step
from orders_svc.dunning.usecases import Entered, enter
from orders_svc.payments import settling
from orders_svc.payments.model import MatchedBy, Payment, PaymentState
from orders_svc.settings import OrdersSettings

MAX_ERRORS = 20


class ReportLine(BaseModel):
    """A line of a file from the agency."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: Literal["payment", "withdrawal", "fee"]
    id: Annotated[str, Field(min_length=1, max_length=60)]
    invoice_number: Annotated[str, Field(min_length=1, max_length=40)]
    amount_minor: Annotated[int, Field(ge=0, le=100_000_000_000)] = 0
    currency: Currency = "NOK"
    on: date
    why: Annotated[str, Field(max_length=200)] = ""


async def take_file(tx: Tx, body: bytes) -> AgencyReport:
    """Book what a file of the agency's tells, each line once.

    Raises:
        AgencyFileRefused: a line cannot be read, names an invoice that the agency does not have, or is negative.
    """
    sha256 = hashlib.sha256(body).hexdigest()
    known = (
        await tx.scalars(select(AgencyFile).where(col(AgencyFile.sha256) == sha256))
    ).one_or_none()
    if known is not None:
        return AgencyReport(
            file_id=known.file_id, lines=known.lines, booked=0, withdrawn=0, fees=0, duplicates=known.lines,
        )  # fmt: skip
    told = _read(body)
    invoices = await _invoices(tx, told)
    fresh = await _fresh(tx, told)
    file = AgencyFile(
        file_id=new_id(), sha256=sha256, way="in", lines=len(told), made_at=tx.clock.now()
    )
    await keep_lines(
        tx,
        file,
        [
            Line(
                f"agency_{one.kind}",
                one.id,
                invoices[one.invoice_number],
                one.model_dump(mode="json"),
            )
            for one in fresh
        ],
    )
    payments = [one for one in fresh if one.kind == "payment"]
    withdrawals = [one for one in fresh if one.kind == "withdrawal"]
    fees = [one for one in fresh if one.kind == "fee"]
    await _book_payments(tx, payments, invoices)
    await _book_fees(tx, fees, invoices)
    today = date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    given_back = list(
        {one.invoice_number: invoices[one.invoice_number] for one in withdrawals}.values()
    )
    for case in await gather(tx, given_back, today):
        if case.case is not None and case.case.state == DunningState.WITH_AGENCY:
            why = next(one.why for one in withdrawals if one.invoice_number == case.invoice.number)
            await enter(tx, case, Entered(Step.TAKE_BACK, today, why=f"agency: {why}"[:200]))
    return AgencyReport(
        file_id=file.file_id,
        lines=len(told),
        booked=len(payments),
        withdrawn=len(withdrawals),
        fees=len(fees),
        duplicates=len(told) - len(fresh),
    )


def _read(body: bytes) -> list[ReportLine]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AgencyFileRefused(
            f"file: byte {error.start} is not UTF-8; save it as UTF-8 and send it again"
        ) from error
    rows = _json_rows(text) if text.lstrip().startswith(("[", "{")) else _csv_rows(text)
    lines: list[ReportLine] = []
    errors: list[dict[str, Any]] = []
    for number, row in rows:
        try:
            lines.append(ReportLine.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            errors.append({"field": f"line {number}: {place}", "message": first["msg"]})
    if errors:
        raise AgencyFileRefused(
            f"file: {len(errors)} of {len(lines) + len(errors)} lines cannot be read; nothing of it was booked",
            errors=errors[:MAX_ERRORS],
        )
    if not lines:
        raise AgencyFileRefused("file: it holds no line")
    return lines


def _json_rows(text: str) -> list[tuple[int, Any]]:
    try:
        loaded = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise AgencyFileRefused(f"file: JSON ends or breaks at line {error.lineno}") from error
    listed = loaded.get("lines") if isinstance(loaded, dict) else loaded
    if not isinstance(listed, list):
        raise AgencyFileRefused('file: JSON of the form {"lines": [{"kind": "payment", ...}]}')
    return list(enumerate(listed, 1))


def _csv_rows(text: str) -> list[tuple[int, Any]]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    return [
        (number, {name: value for name, value in row.items() if value})
        for number, row in enumerate(reader, 2)
    ]


async def _invoices(tx: Tx, told: Sequence[ReportLine]) -> dict[str, Invoice]:
    """Return the invoices that a file names, locked. Raises `AgencyFileRefused` for one that the agency does not have."""
    rows = await tx.scalars(
        select(Invoice)
        .join(DunningStep, col(DunningStep.invoice_id) == col(Invoice.invoice_id))
        .where(
            col(Invoice.number).in_({one.invoice_number for one in told}),
            col(DunningStep.step) == Step.HAND_OVER.value,
        )
        .order_by(col(Invoice.invoice_id))
        .with_for_update(of=Invoice, key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {one.number: one for one in rows}
    errors = []
    for number, one in enumerate(told, 1):
        invoice = found.get(one.invoice_number)
        if invoice is None:
            errors.append(
                {
                    "field": f"line {number}",
                    "message": f"{one.invoice_number} was never handed over",
                }
            )
        elif invoice.currency != one.currency:
            errors.append(
                {
                    "field": f"line {number}",
                    "message": f"{one.invoice_number} is in {invoice.currency}",
                }
            )
        elif one.kind != "withdrawal" and not one.amount_minor:
            errors.append(
                {"field": f"line {number}", "message": "amount_minor: it must be above nothing"}
            )
    if errors:
        raise AgencyFileRefused(
            f"file: {len(errors)} lines do not fit; nothing of it was booked",
            errors=errors[:MAX_ERRORS],
        )
    return found


async def _fresh(tx: Tx, told: Sequence[ReportLine]) -> list[ReportLine]:
    rows = await tx.execute(
        select(col(AgencyLine.kind), col(AgencyLine.key)).where(
            col(AgencyLine.key).in_([one.id for one in told])
        )
    )
    known = {(row.kind, row.key) for row in rows}
    fresh: dict[tuple[str, str], ReportLine] = {}
    for one in told:
        key = (f"agency_{one.kind}", one.id)
        if key not in known:
            fresh.setdefault(key, one)
    return list(fresh.values())


async def _book_payments(tx: Tx, told: Sequence[ReportLine], invoices: dict[str, Invoice]) -> None:
    now, pairs = tx.clock.now(), []
    for one in told:
        invoice = invoices[one.invoice_number]
        payment = Payment(
            payment_id=new_id(),
            reference=str(invoice.reference),
            amount_minor=one.amount_minor,
            currency=one.currency,
            paid_on=one.on,
            external_id=f"agency:{one.id}",
            state=PaymentState.UNMATCHED.value,
            booked_at=now,
        )
        tx.add(payment)
        pairs.append(settling.Settled(payment, invoice, MatchedBy.AGENCY))
    if pairs:
        await settling.settle(tx, pairs, source=Account.AGENCY, kind="agency_payment")


async def _book_fees(tx: Tx, told: Sequence[ReportLine], invoices: dict[str, Invoice]) -> None:
    """Book what the agency keeps for its work."""
    await book(
        tx,
        [
            Booking(
                "agency_fee",
                new_id(),
                one.currency,
                (
                    Entry(
                        Account.AGENCY_COSTS,
                        one.amount_minor,
                        invoices[one.invoice_number].invoice_id,
                    ),
                    Entry(Account.AGENCY, -one.amount_minor),
                ),
            )
            for one in told
        ],
    )
