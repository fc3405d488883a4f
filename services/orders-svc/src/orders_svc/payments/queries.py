"""Read payments, their files and the rates."""

from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.payments import matching
from orders_svc.payments.errors import PaymentFileNotFound, PaymentNotFound
from orders_svc.payments.model import (
    ExchangeRate,
    Payment,
    PaymentFile,
    PaymentState,
)
from orders_svc.payments.schemas import Candidate, FileOut


async def list_payments(
    tx: ReadTx,
    *,
    state: PaymentState | None,
    invoice_id: UUID | None,
    file_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[Payment]:
    """Return a page of payments in the sequence of their booking."""
    statement = select(Payment).order_by(col(Payment.payment_id)).limit(limit)
    if state is not None:
        statement = statement.where(col(Payment.state) == state.value)
    if invoice_id is not None:
        statement = statement.where(col(Payment.invoice_id) == invoice_id)
    if file_id is not None:
        statement = statement.where(col(Payment.file_id) == file_id)
    if after is not None:
        statement = statement.where(col(Payment.payment_id) > after)
    return list(await tx.scalars(statement))


async def find_candidates(tx: ReadTx, payment_id: UUID) -> list[Candidate]:
    """Return open invoices that a held payment may be for. Raises `PaymentNotFound`."""
    return await matching.candidates(tx, await get_payment(tx, payment_id))


async def get_payment(tx: ReadTx, payment_id: UUID) -> Payment:
    """Return a payment. Raises `PaymentNotFound`."""
    payment = await tx.get(Payment, payment_id)
    if payment is None:
        raise PaymentNotFound(f"No payment has the id {payment_id}")
    return payment


async def get_file(tx: ReadTx, file_id: UUID) -> FileOut:
    """Return a file and what its entries became. Raises `PaymentFileNotFound`."""
    file = await tx.get(PaymentFile, file_id)
    if file is None:
        raise PaymentFileNotFound(f"No payment file has the id {file_id}")
    rows = await tx.execute(
        select(col(Payment.reason), func.count().label("held"))
        .where(
            col(Payment.file_id) == file_id,
            col(Payment.state) == PaymentState.UNMATCHED.value,
        )
        .group_by(col(Payment.reason))
    )
    return show_file(file, {row.reason: row.held for row in rows})


async def list_files(tx: ReadTx, *, after: UUID | None, limit: int) -> list[PaymentFile]:
    """Return a page of files in the sequence of their coming."""
    statement = select(PaymentFile).order_by(col(PaymentFile.file_id)).limit(limit)
    if after is not None:
        statement = statement.where(col(PaymentFile.file_id) > after)
    return list(await tx.scalars(statement))


def show_file(file: PaymentFile, held_because: dict[str, int] | None = None) -> FileOut:
    """Return a file with what still waits of it: an entry waits until it is counted as something."""
    return FileOut.model_validate(
        {
            **file.model_dump(),
            "waiting": file.entries - file.taken,
            "held_because": held_because,
        }
    )


async def list_rates(tx: ReadTx, base: str, quote: str) -> list[ExchangeRate]:
    """Return the rates between two currencies, the newest first."""
    rows = await tx.scalars(
        select(ExchangeRate)
        .where(col(ExchangeRate.base) == base, col(ExchangeRate.quote) == quote)
        .order_by(col(ExchangeRate.valid_from).desc())
        .limit(100)
    )
    return list(rows)
