"""Read the ledger."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, tuple_
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.base import table_of
from orders_svc.billing.ledger.chart import account_number
from orders_svc.billing.ledger.schemas import (
    AccountSum,
    LedgerBalance,
    SideOut,
    TrialBalance,
    TrialRow,
    VoucherOut,
)
from orders_svc.billing.model import Account, LedgerLock, LedgerTransaction, Posting
from orders_svc.settings import OrdersSettings

_PAGE = 2_000
"""Postings that an export holds at a time."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """A booked fact as an export writes it: amounts per number of the chart."""

    transaction_id: UUID
    booked_on: date
    text: str
    sides: list[tuple[str, int]]


async def ledger_balance(tx: ReadTx) -> LedgerBalance:
    """Return the sums of all accounts, and whether they cancel out in every currency."""
    rows = await tx.execute(
        select(
            col(Posting.account),
            col(Posting.currency),
            func.sum(col(Posting.amount_minor)).label("amount_minor"),
        )
        .group_by(col(Posting.account), col(Posting.currency))
        .order_by(col(Posting.account), col(Posting.currency))
    )
    accounts = [
        AccountSum(account=row.account, currency=row.currency, amount_minor=int(row.amount_minor))
        for row in rows
    ]
    sums: dict[str, int] = {}
    for one in accounts:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount_minor
    return LedgerBalance(accounts=accounts, is_balanced=not any(sums.values()))


async def trial_balance(tx: ReadTx, first_on: date, last_on: date) -> TrialBalance:
    """Return what each account held before a period, what moved in it, and what it held then."""
    settings = tx.settings(OrdersSettings)
    amount, day = col(Posting.amount_minor), col(LedgerTransaction.booked_on)
    inside = day >= first_on
    ledger = table_of(Posting)
    keys = [ledger.c.account, ledger.c.vat_pct, ledger.c.currency]
    sums: list[ColumnElement[Any]] = [
        func.coalesce(func.sum(amount).filter(~inside), 0).label("opening"),
        func.coalesce(func.sum(amount).filter(inside, amount > 0), 0).label("debit"),
        func.coalesce(-func.sum(amount).filter(inside, amount < 0), 0).label("credit"),
    ]
    rows = await tx.execute(
        select(*keys, *sums)
        .join(
            LedgerTransaction,
            col(LedgerTransaction.transaction_id) == col(Posting.transaction_id),
        )
        .where(day <= last_on)
        .group_by(*keys)
    )
    shown = [_trial_row(row, settings) for row in rows]
    locked = await tx.scalar(select(func.max(col(LedgerLock.locked_until))))
    return TrialBalance(
        first_on=first_on,
        last_on=last_on,
        is_locked=locked is not None and last_on <= locked,
        rows=sorted(shown, key=lambda row: (row.currency, row.number, row.vat_pct or Decimal(0))),
    )


def _trial_row(row: Row[Any], settings: OrdersSettings) -> TrialRow:
    number, name = account_number(Account(row.account), row.vat_pct, settings)
    return TrialRow(
        account=row.account,
        vat_pct=row.vat_pct,
        number=number,
        name=name,
        currency=row.currency,
        opening_minor=int(row.opening),
        debit_minor=int(row.debit),
        credit_minor=int(row.credit),
        closing_minor=int(row.opening + row.debit - row.credit),
    )


async def vouchers_of(tx: ReadTx, invoice_id: UUID) -> list[VoucherOut]:
    """Return the vouchers with a side on an invoice, each whole, in the sequence of their booking."""
    settings = tx.settings(OrdersSettings)
    key = col(LedgerTransaction.transaction_id)
    about = select(col(Posting.transaction_id)).where(col(Posting.invoice_id) == invoice_id)
    rows: Any = await tx.execute(
        select(LedgerTransaction, Posting)
        .join(Posting, col(Posting.transaction_id) == key)
        .where(key.in_(about))
        .order_by(key, col(Posting.line_no))
    )
    shown: dict[UUID, VoucherOut] = {}
    for head, posting in rows:
        voucher = shown.setdefault(head.transaction_id, VoucherOut(**head.model_dump(), sides=[]))
        number, name = account_number(Account(posting.account), posting.vat_pct, settings)
        voucher.sides.append(SideOut(**posting.model_dump(), number=number, name=name))
    return list(shown.values())


async def list_locks(tx: ReadTx) -> list[LedgerLock]:
    """Return all locks, the latest first."""
    statement = select(LedgerLock).order_by(col(LedgerLock.locked_until).desc())
    return list(await tx.scalars(statement))


async def vouchers(
    tx: ReadTx, first_on: date, last_on: date, currency: str
) -> AsyncIterator[Voucher]:
    """Yield what was booked in a period in a currency, by day, a page of it in memory at a time."""
    settings = tx.settings(OrdersSettings)
    day, key = col(LedgerTransaction.booked_on), col(LedgerTransaction.transaction_id)
    of_currency = select(col(Posting.transaction_id)).where(col(Posting.currency) == currency)
    after: tuple[date, UUID] | None = None
    while True:
        statement = (
            select(LedgerTransaction)
            .where(day >= first_on, day <= last_on, key.in_(of_currency))
            .order_by(day, key)
            .limit(_PAGE)
        )
        if after is not None:
            statement = statement.where(tuple_(day, key) > after)
        heads: Sequence[LedgerTransaction] = list(await tx.scalars(statement))
        if not heads:
            return
        sides: dict[UUID, list[tuple[str, int]]] = {}
        for posting in await tx.scalars(
            select(Posting)
            .where(
                col(Posting.transaction_id).in_([head.transaction_id for head in heads]),
                col(Posting.currency) == currency,
            )
            .order_by(col(Posting.transaction_id), col(Posting.line_no))
        ):
            number, _ = account_number(Account(posting.account), posting.vat_pct, settings)
            sides.setdefault(posting.transaction_id, []).append((number, posting.amount_minor))
        for head in heads:
            text = f"{head.kind} {head.label}".strip()
            yield Voucher(head.transaction_id, head.booked_on, text, sides[head.transaction_id])
        after = (heads[-1].booked_on, heads[-1].transaction_id)
