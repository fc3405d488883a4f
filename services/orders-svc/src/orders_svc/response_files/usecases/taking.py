"""Rows become responses, with the checkpoint of their file in the same transaction."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select

from kantis_contracts.orders import ResponseWay
from kantis_kit import files
from kantis_kit.calendar import answer_due_at
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from orders_svc.base import insert_all
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.queries import find_by_sku
from orders_svc.codes.queries import Resolved, find_codes, find_slips
from orders_svc.codes.usecases import sentence_on
from orders_svc.people.model import Person
from orders_svc.people.queries import find_callers, find_persons
from orders_svc.response_files.lines import Line, read_lines
from orders_svc.response_files.model import FileState, Reject, ResponseFile, Review, ReviewState
from orders_svc.response_files.rows import Refused, Row, doubts, row_of, said
from orders_svc.response_files.schemas import MappingIn
from orders_svc.responses.usecases import ResponseDraft, count_responses
from orders_svc.settings import OrdersSettings

TAKE_TIMER = "response_files.take"
FORGET_TIMER = "response_files.forget"
KEEP = timedelta(days=30)
"""So long rows that came back, and rows that were decided on, are kept."""


def path_of(tx: ReadTx, file_id: UUID) -> Path:
    """Return where a file waits; the name is ours, never the sender's."""
    return tx.settings(OrdersSettings).data_dir / "responses" / f"{file_id}.txt"


class Doubtful(Exception):
    """Nobody can be sure of a row: why, and of which fields."""

    args: tuple[str, Mapping[str, Any]]


@dataclass(slots=True)
class Register:
    """What is known of the codes, callers and goods that rows name."""

    mapping: MappingIn
    slips: dict[str, list[str]] = field(default_factory=dict)
    codes: dict[str, Resolved] = field(default_factory=dict)
    callers: dict[str, list[UUID]] = field(default_factory=dict)
    persons: dict[UUID, Person] = field(default_factory=dict)
    goods: dict[str, Product] = field(default_factory=dict)

    @classmethod
    async def of(cls, tx: ReadTx, mapping: MappingIn, rows: Sequence[Row]) -> "Register":
        """Look up what these rows name."""
        codes = {row.code for row in rows if row.code}
        skus = sorted({row.sku for row in rows if row.sku})
        known = await find_codes(tx, codes)
        callers = await find_callers(tx, {row.phone for row in rows if row.phone})
        ids = {code.person_id for code in known.values()}
        ids.update(one for found in callers.values() for one in found)
        return cls(
            mapping,
            await find_slips(tx, codes - known.keys()),
            known,
            callers,
            await find_persons(tx, ids),
            await find_by_sku(tx, skus) if skus else {},
        )

    def who(self, row: Row) -> UUID | None:
        """Return whose row without a code it is; None when its code says it. Raises `Refused` and `Doubtful`."""
        if row.code:
            self._check(row.code)
            return None
        found = [one for one in self.callers.get(row.phone, []) if not self.persons[one].is_erased]
        if not found:
            message = (
                f"phone: nobody whom we know has the number {row.phone}; add the code of the piece"
            )
            raise Refused(message)
        if len(found) > 1:
            message = f"phone: {len(found)} people have the number {row.phone}"
            raise Doubtful(message, {"phone": [str(one) for one in found]})
        return found[0]

    def _check(self, code: str) -> None:
        if code in self.slips:
            message = f"code: {sentence_on(code, self.slips[code])}"
            raise Refused(message)
        known = self.codes.get(code)
        if known is None and self.mapping.unknown_codes == "return":
            message = f"code: no piece carries {code}; look at the piece, or send the row again when it is released"
            raise Refused(message)
        person = self.persons.get(known.person_id) if known else None
        if person is not None and person.is_erased:
            message = f"code: the person of {code} has asked to be forgotten"
            raise Refused(message)

    def lines(self, row: Row) -> tuple[tuple[UUID, int], ...]:
        """Return the goods that a row names. Raises `Refused`."""
        if not row.sku:
            return ()
        product = self.goods.get(row.sku)
        if product is None:
            message = f"sku: no product is called {row.sku}"
            raise Refused(message)
        return ((product.product_id, row.quantity),)


def draft_of(
    row: Row,
    register: Register,
    *,
    person_id: UUID | None,
    text: str,
    file: ResponseFile,
    number: int,
) -> ResponseDraft:
    """Return the response that a row makes. Raises `Refused` for goods that there are none of."""
    mapping = register.mapping
    # A code is answered once per kind anyway; a caller is known again by the row's own id, or by all of its words.
    name = row.row_id or hashlib.sha256(text.encode()).hexdigest()
    return ResponseDraft(
        kind=row.kind,
        way=ResponseWay(mapping.way),
        code=row.code or None,
        person_id=person_id,
        quantity=row.quantity,
        lines=register.lines(row),
        address_correction=row.address_correction,
        answers=row.answers,
        note=row.note,
        keyed_by=file.sent_by,
        file_id=file.file_id,
        file_row=number,
        source_key=None if row.code else f"{file.mapping}:{name}",
        responded_at=row.responded_at,
    )


@dataclass(slots=True)
class _Chunk:
    """Rows that share a transaction, as they were read."""

    rows: list[tuple[Line, Row]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    empty: int = 0


async def take_rows(tx: Tx, file_id: UUID) -> None:
    """Take the next rows of a file, with its checkpoint, and set the timer for those after them."""
    file: ResponseFile | None = await tx.scalar(
        select(ResponseFile)
        .where(
            col(ResponseFile.file_id) == file_id,
            col(ResponseFile.state) == FileState.RUNNING.value,
        )
        .with_for_update()
    )
    if file is None:
        return
    settings = tx.settings(OrdersSettings)
    mapping = MappingIn.model_validate(file.reading)
    path = path_of(tx, file_id)
    try:
        lines = await asyncio.to_thread(
            read_lines,
            path,
            mapping,
            file.header,
            offset=file.offset_bytes,
            number=file.row_number,
            rows=settings.response_file_rows,
        )
    except FileNotFoundError:
        file.finish(
            FileState.FAILED,
            at=tx.clock.now(),
            problem=f"the file is gone; rows up to {file.row_number} were taken, send it again for the rest",
        )
        return
    await _save(tx, file, mapping, await asyncio.to_thread(_read, tx, file, mapping, lines))
    if lines:
        file.offset_bytes, file.row_number = lines[-1].end, lines[-1].number
    if len(lines) < settings.response_file_rows:
        file.finish(FileState.DONE, at=tx.clock.now())
        # The file goes in a transaction of its own, after this one is certain.
        await tx.schedule(FORGET_TIMER, str(file_id), tx.clock.now())
    else:
        await tx.schedule(TAKE_TIMER, str(file_id), tx.clock.now())


def _read(tx: ReadTx, file: ResponseFile, mapping: MappingIn, lines: Sequence[Line]) -> _Chunk:
    chunk = _Chunk()
    now = tx.clock.now()
    for line in lines:
        if line.is_blank:
            chunk.empty += 1
            continue
        try:
            read = said(line, mapping)
            unsure = doubts(line, mapping, read)
            if unsure:
                reason = "read without certainty: " + ", ".join(
                    f"{name} {sure:g} %" for name, sure in unsure.items()
                )
                chunk.reviews.append(_review(tx, file, line, read, (reason, unsure)))
                continue
            chunk.rows.append((line, row_of(read, mapping, now=now)))
        except Refused as refusal:
            chunk.rejects.append(_reject(file, line, str(refusal)))
    return chunk


async def _save(tx: Tx, file: ResponseFile, mapping: MappingIn, chunk: _Chunk) -> None:
    register = await Register.of(tx, mapping, [row for _, row in chunk.rows])
    drafts = []
    for line, row in chunk.rows:
        try:
            drafts.append(
                draft_of(
                    row,
                    register,
                    person_id=register.who(row),
                    text=line.text,
                    file=file,
                    number=line.number,
                )
            )
        except Refused as refusal:
            chunk.rejects.append(_reject(file, line, str(refusal)))
        except Doubtful as doubt:
            chunk.reviews.append(_review(tx, file, line, said(line, mapping), doubt.args))
    new = await count_responses(tx, drafts, known=register.codes)
    if chunk.rejects:
        await tx.execute(insert_all(Reject, chunk.rejects))
    if chunk.reviews:
        await tx.execute(insert_all(Review, chunk.reviews))
    file.registered += new
    file.repeated += len(drafts) - new
    file.in_review += len(chunk.reviews)
    file.rejected += len(chunk.rejects)
    file.empty += chunk.empty


def _reject(file: ResponseFile, line: Line, reason: str) -> dict[str, Any]:
    return {
        "file_id": file.file_id,
        "row_number": line.number,
        "reason": reason,
        "line": line.text.replace("\x00", ""),
    }


def _review(
    tx: ReadTx,
    file: ResponseFile,
    line: Line,
    read: dict[str, str],
    doubt: tuple[str, Mapping[str, Any]],
) -> dict[str, Any]:
    reason, unsure = doubt
    home = tx.settings(OrdersSettings).company_country
    return Review(
        review_id=new_id(),
        file_id=file.file_id,
        row_number=line.number,
        reason=reason,
        read=read,
        doubts=dict(unsure),
        due_at=answer_due_at(file.started_at, home),
    ).model_dump()


async def forget_file(tx: Tx, file_id: UUID) -> None:
    """Delete a file whose rows are all taken."""
    await files.forget(path_of(tx, file_id))


async def tidy(tx: Tx) -> None:
    """Forget rows that came back, and rows that were decided on, when nobody needs them any longer."""
    before = tx.clock.now() - KEEP
    old = select(ResponseFile.file_id).where(col(ResponseFile.finished_at) < before)
    await tx.execute(delete(Reject).where(col(Reject.file_id).in_(old)))
    await tx.execute(
        delete(Review).where(
            col(Review.state) != ReviewState.WAITING.value, col(Review.decided_at) < before
        )
    )
