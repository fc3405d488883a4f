"""Book what the bank's files tell of, once they are read.

Their entries wait as rows. A timer books a thousand at a time, each in the transaction that takes it off the rows: who
is interrupted goes on where that was, and an entry that came in another file before is counted and left.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import String, delete, func
from sqlmodel import col, select

from kantis_kit.db.sets import one_of
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing.ledger import book
from orders_svc.payments import matching, settling, usecases
from orders_svc.payments.model import (
    Arrival,
    FileState,
    Payment,
    PaymentEntry,
    PaymentFile,
    PaymentState,
)
from orders_svc.payments.reading import FileEntry

TIMER = "payments.file"
CHUNK = 1_000
COLUMNS = ("file_id", "entry_no", *(one.name for one in fields(FileEntry)))
_LOCK = 0x70617973  # 'pays': two files that tell of the same entries take turns


async def go_on(tx: Tx, file_ids: Sequence[UUID]) -> None:
    """Book the next thousand entries of each file, and come again while there are more."""
    await tx.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    for file_id in file_ids:
        file = await tx.get(PaymentFile, file_id)
        if file is None or file.state != FileState.BOOKING:
            continue
        # Entries are numbered without a gap, so what has been counted says where the next begin: a search for the
        # first would step over all that was taken before.
        last = file.taken + CHUNK
        rows = await tx.execute(
            delete(PaymentEntry)
            .where(
                col(PaymentEntry.file_id) == file_id,
                col(PaymentEntry.entry_no).between(file.taken + 1, last),
            )
            .returning(*(col(getattr(PaymentEntry, name)) for name in COLUMNS))
        )
        await _book(tx, file, sorted(rows.all(), key=lambda row: row.entry_no))
        if last >= file.entries:
            file.end(FileState.DONE, at=tx.clock.now())
        else:
            await tx.schedule(TIMER, str(file_id), tx.clock.now())


async def _book(tx: Tx, file: PaymentFile, entries: Sequence[Any]) -> None:
    names = [row.external_id for row in entries]
    known = set(
        await tx.scalars(
            select(col(Payment.external_id)).where(
                col(Payment.external_id) == one_of(names, String())
            )
        )
    )
    now = tx.clock.now()
    fresh: dict[str, Arrival] = {}
    for row in entries:
        if row.external_id in known or row.external_id in fresh:
            file.duplicates += 1
            continue
        fresh[row.external_id] = Arrival(
            payment_id=new_id(),
            reference=matching.plain(row.reference),
            amount_minor=row.amount_minor,
            currency=row.currency,
            paid_on=row.paid_on,
            external_id=row.external_id,
            booked_at=now,
            file_id=file.file_id,
            account=row.account,
            remittance=row.remittance,
            payer_name=row.payer_name,
            payer_account=row.payer_account,
            is_reversal=row.is_reversal,
        )
    payments = list(fresh.values())
    came = [one for one in payments if not one.is_reversal]
    await usecases.book_fresh(tx, came)
    back = [one for one in payments if one.is_reversal]
    for one in back:
        await _take_back(tx, one)
    await settling.keep(tx, back)
    file.reversed += sum(one.is_reversal and one.state == PaymentState.BOOKED for one in payments)
    file.booked += sum(one.state != PaymentState.UNMATCHED for one in came)
    file.held += sum(one.state == PaymentState.UNMATCHED for one in payments)


async def _take_back(tx: Tx, reversal: Arrival) -> None:
    """Find the payment that the bank took back: the last one of this reference and amount, from the same payer."""
    found: Payment | None = await tx.scalar(
        select(Payment)
        .where(
            ~col(Payment.is_reversal),
            col(Payment.reference) == reversal.reference,
            col(Payment.amount_minor) == reversal.amount_minor,
            col(Payment.currency) == reversal.currency,
            col(Payment.account).in_([reversal.account, ""]),
            col(Payment.reference) != "",
            col(Payment.paid_on) <= reversal.paid_on,
            col(Payment.state).not_in([PaymentState.REVERSED.value, PaymentState.REFUNDED.value]),
        )
        .order_by(col(Payment.payer_name) != reversal.payer_name, col(Payment.paid_on).desc())
        .limit(1)
        .with_for_update(key_share=True)
    )
    if found is None:
        reversal.reason = "no_original"
        await book(tx, [settling.hold_booking(reversal)])
    else:
        await settling.reverse(tx, found, reversal)
