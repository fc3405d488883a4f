"""Take in the bank's files: the whole file is read and checked before anything of it is booked.

Its entries wait as rows. A timer books a thousand at a time, each in the transaction that takes it off the rows: who
is interrupted goes on where that was, and an entry that came in another file before is counted and left.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import IO, Any
from uuid import UUID

from sqlalchemy import String, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.db.sets import one_of
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing.ledger import book
from orders_svc.payments import matching, settling, usecases
from orders_svc.payments.camt import CamtReader
from orders_svc.payments.errors import FileRefused
from orders_svc.payments.model import Arrival, Payment, PaymentEntry, PaymentFile, PaymentState
from orders_svc.payments.ocrgiro import OcrReader
from orders_svc.payments.reading import BadFile, FileEntry, Reader
from orders_svc.settings import OrdersSettings

TIMER = "payments.file"
CHUNK = 1_000
_COLUMNS = ("file_id", "entry_no", *(one.name for one in fields(FileEntry)))
_LOCK = 0x70617973  # 'pays': two files that tell of the same entries take turns
_PART = 1 << 18
_START_BYTES = 512


async def take_file(tx: Tx, body: IO[bytes], sha256: str) -> tuple[PaymentFile, bool]:
    """Keep a file's entries to be booked; return the file, and whether it is new.

    Raises:
        FileRefused: it cannot be read, is cut, does not sum up, or tells of an account that is not ours.
    """
    file = PaymentFile(
        file_id=new_id(), sha256=sha256, kind="", message_id="", received_at=tx.clock.now()
    )
    taken = await tx.scalar(
        insert(PaymentFile)
        .values(file.model_dump())
        .on_conflict_do_nothing(index_elements=["sha256"])
        .returning(col(PaymentFile.file_id))
    )
    kept: PaymentFile = (
        await tx.scalars(select(PaymentFile).where(col(PaymentFile.sha256) == sha256))
    ).one()
    if taken is None:
        return kept, False
    try:
        await _read(tx, kept, body)
    except BadFile as error:
        raise FileRefused(f"file: {error}. Nothing of it was booked") from error
    await tx.schedule(TIMER, str(kept.file_id), tx.clock.now())
    return kept, True


async def _read(tx: Tx, file: PaymentFile, body: IO[bytes]) -> None:
    ours = own_accounts(tx.settings(OrdersSettings))
    part = await asyncio.to_thread(body.read, _PART)
    reader = _reader_for(part)
    while part:
        await _keep(tx, file, await asyncio.to_thread(reader.feed, part), ours)
        part = await asyncio.to_thread(body.read, _PART)
    await _keep(tx, file, await asyncio.to_thread(reader.close), ours)
    file.kind, file.message_id, file.skipped = reader.kind, reader.message_id, reader.skipped


async def go_on(tx: Tx, file_ids: Sequence[UUID]) -> None:
    """Book the next thousand entries of each file, and come again while there are more."""
    await tx.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    for file_id in file_ids:
        file = await tx.get(PaymentFile, file_id)
        if file is None or file.state == "done":
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
            .returning(*(col(getattr(PaymentEntry, name)) for name in _COLUMNS))
        )
        await _book(tx, file, sorted(rows.all(), key=lambda row: row.entry_no))
        if last >= file.entries:
            file.state, file.done_at = "done", tx.clock.now()
        else:
            await tx.schedule(TIMER, str(file_id), tx.clock.now())


def own_accounts(settings: OrdersSettings) -> frozenset[str]:
    """Return our accounts in the forms in which files name them."""
    agreed = [one.account for one in settings.payment_agreements]
    listed = (settings.bank_account, *agreed, *settings.further_bank_accounts)
    return frozenset("".join(sign for sign in one.upper() if sign.isalnum()) for one in listed)


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


async def _keep(
    tx: Tx, file: PaymentFile, entries: Sequence[FileEntry], ours: frozenset[str]
) -> None:
    if not entries:
        return
    for one in {entry.account for entry in entries}:
        plain = "".join(sign for sign in one.upper() if sign.isalnum())
        if not any(plain == own or _is_iban_of(plain, own) for own in ours):
            message = (
                f"it tells of the account {one[:40]}, which is not ours; ours are set in `bank_account` and "
                "`further_bank_accounts`"
            )
            raise BadFile(message)
    rows = [
        (file.file_id, number, *astuple(entry))
        for number, entry in enumerate(entries, file.entries + 1)
    ]
    await tx.copy("payment_entry", _COLUMNS, rows)
    file.entries += len(entries)
    file.total_minor += sum(
        -one.amount_minor if one.is_reversal else one.amount_minor for one in entries
    )


def _is_iban_of(iban: str, own: str) -> bool:
    return iban[:2].isalpha() and iban[2:4].isdigit() and own.isdigit() and iban[4:].endswith(own)


def _reader_for(part: bytes) -> Reader:
    if not part:
        message = "it is empty"
        raise BadFile(message)
    start = part[:_START_BYTES].lstrip(b"\xef\xbb\xbf\r\n\t ")
    if start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return CamtReader()
    if start.startswith(b"NY0000"):
        return OcrReader()
    message = "it is neither camt.054 (XML) nor OCR-giro (its first line begins with NY000010)"
    raise BadFile(message)
