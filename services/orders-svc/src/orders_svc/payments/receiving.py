"""Take in the bank's files: the whole file is read and checked before anything of it is booked.

A file that is read within a request is, and who sends it learns at once what is wrong with it. A larger one waits on
the disk, and a timer reads it in portions, each with its checkpoint in the transaction that keeps its entries: who is
interrupted goes on behind the last entry that was kept.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit import files
from kantis_kit.tx import ReadTx, Tx
from orders_svc.payments.camt import CamtReader
from orders_svc.payments.errors import FileRefused
from orders_svc.payments.files import COLUMNS
from orders_svc.payments.files import TIMER as BOOK_TIMER
from orders_svc.payments.model import FileState, PaymentEntry, PaymentFile
from orders_svc.payments.ocrgiro import OcrReader
from orders_svc.payments.reading import BadFile, FileEntry
from orders_svc.settings import OrdersSettings

READ_TIMER = "payments.read"
FORGET_TIMER = "payments.forget"
AT_ONCE_BYTES = 2 << 20
"""What is read within the request: a second of it, where a request has thirty."""
PORTION_BYTES = 4 << 20
"""So much of a file shares a transaction: some seven thousand entries."""
_PART = 1 << 18
_START_BYTES = 512
_READERS: dict[str, type[CamtReader | OcrReader]] = {
    reader.kind: reader for reader in (CamtReader, OcrReader)
}


def path_of(tx: ReadTx, file_id: UUID) -> Path:
    """Return where a file waits; the name is ours, never the sender's."""
    return tx.settings(OrdersSettings).data_dir / "payments" / f"{file_id}.bin"


async def take_file(tx: Tx, file_id: UUID, path: Path, sha256: str) -> tuple[PaymentFile, bool]:
    """Promise a file that lies at `path`; return it, and whether it is new. One that is read already needs no path.

    A file that was refused may come again: what was set wrong here may be right by now.

    Raises:
        FileRefused: it cannot be read, is cut, does not sum up, or tells of an account that is not ours; a large file
            of which that shows later is `refused` instead, with the problem.
    """
    size = (await asyncio.to_thread(path.stat)).st_size
    file = PaymentFile(
        file_id=file_id,
        sha256=sha256,
        kind="",
        message_id="",
        file_bytes=size,
        received_at=tx.clock.now(),
    )
    await tx.execute(
        delete(PaymentFile).where(
            col(PaymentFile.sha256) == sha256,
            col(PaymentFile.state) == FileState.REFUSED.value,
        )
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
        kept.kind = (await asyncio.to_thread(_reader_for, path)).kind
        if size <= AT_ONCE_BYTES:
            await _read(tx, kept, path, portion=size)
        else:
            await tx.schedule(READ_TIMER, str(file_id), tx.clock.now())
    except BadFile as error:
        raise FileRefused(f"file: {error}. Nothing of it was booked") from error
    return kept, True


async def read_on(tx: Tx, file_id: UUID) -> None:
    """Read the next portion of a file, with its checkpoint, and come again while there is more."""
    file: PaymentFile | None = await tx.scalar(
        select(PaymentFile)
        .where(
            col(PaymentFile.file_id) == file_id,
            col(PaymentFile.state) == FileState.READING.value,
        )
        .with_for_update()
    )
    if file is None:
        return
    try:
        await _read(tx, file, path_of(tx, file_id), portion=PORTION_BYTES)
    except FileNotFoundError:
        await _refuse(tx, file, "the file is gone; send it again. Nothing of it was booked")
    except BadFile as error:
        await _refuse(tx, file, f"{error}. Nothing of it was booked")
    if file.state == FileState.READING:
        await tx.schedule(READ_TIMER, str(file_id), tx.clock.now())
    else:
        # The file goes in a transaction of its own, after this one is certain.
        await tx.schedule(FORGET_TIMER, str(file_id), tx.clock.now())


async def forget_file(tx: ReadTx, file_id: UUID) -> None:
    """Delete a file that is read."""
    await files.forget(path_of(tx, file_id))


async def _refuse(tx: Tx, file: PaymentFile, problem: str) -> None:
    await tx.execute(delete(PaymentEntry).where(col(PaymentEntry.file_id) == file.file_id))
    file.refuse(problem, at=tx.clock.now())


async def _read(tx: Tx, file: PaymentFile, path: Path, *, portion: int) -> None:
    """Keep the entries of the next portion: so many bytes, and as many more as it takes to get behind an entry."""
    ours = own_accounts(tx.settings(OrdersSettings))
    reader = _READERS[file.kind].at(file.checkpoint) if file.checkpoint else _READERS[file.kind]()
    begun = at = reader.offset
    with await asyncio.to_thread(path.open, "rb") as body:
        await asyncio.to_thread(body.seek, at)
        while True:
            part = await asyncio.to_thread(body.read, _PART)
            if not part:
                break
            await _keep(tx, file, await asyncio.to_thread(reader.feed, part), ours)
            at += len(part)
            if at - begun >= portion and at < file.file_bytes and reader.offset > begun:
                file.checkpoint, file.read_bytes = reader.checkpoint(), reader.offset
                return
    await _keep(tx, file, await asyncio.to_thread(reader.close), ours)
    file.message_id, file.skipped = reader.message_id, reader.skipped
    file.state, file.checkpoint, file.read_bytes = FileState.BOOKING.value, None, at
    await tx.schedule(BOOK_TIMER, str(file.file_id), tx.clock.now())


def own_accounts(settings: OrdersSettings) -> frozenset[str]:
    """Return our accounts in the forms in which files name them."""
    agreed = [one.account for one in settings.payment_agreements]
    listed = (settings.bank_account, *agreed, *settings.further_bank_accounts)
    return frozenset("".join(sign for sign in one.upper() if sign.isalnum()) for one in listed)


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
    await tx.copy("payment_entry", COLUMNS, rows)
    file.entries += len(entries)
    file.total_minor += sum(
        -one.amount_minor if one.is_reversal else one.amount_minor for one in entries
    )


def _is_iban_of(iban: str, own: str) -> bool:
    return iban[:2].isalpha() and iban[2:4].isdigit() and own.isdigit() and iban[4:].endswith(own)


def _reader_for(path: Path) -> type[CamtReader | OcrReader]:
    with path.open("rb") as body:
        start = body.read(_START_BYTES)
    if not start:
        message = "it is empty"
        raise BadFile(message)
    start = start.lstrip(b"\xef\xbb\xbf\r\n\t ")
    if start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return CamtReader
    if start.startswith(b"NY0000"):
        return OcrReader
    message = "it is neither camt.054 (XML) nor OCR-giro (its first line begins with NY000010)"
    raise BadFile(message)
