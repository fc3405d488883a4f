"""Make a batch: collect what may be sent, put it in the order of the post, print it, list it.

Each step is found again after a crash: collecting goes on, printing begins anew, and only whole files stand in their
place. Nothing of a batch is in memory but the letters of one run of the typesetter.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update

from kantis_kit.tx import Scope, Tx, read, write
from messaging_svc.caps import spending
from messaging_svc.caps.spending import days_of
from messaging_svc.dispatch.model import State
from messaging_svc.letters import files, sql
from messaging_svc.letters.model import letter_batch, letter_piece
from messaging_svc.letters.pdf import Joined
from messaging_svc.letters.sheets import Sheet
from messaging_svc.letters.states import BatchState
from messaging_svc.letters.typeset import CHUNK, typeset
from messaging_svc.letters.windows import Window, window_for
from messaging_svc.letters.writing import Writer, rows_of
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender

ACTOR = "letters"
_COLLECTED = 1_000
_WORK = timedelta(minutes=5)
"""Whoever has been silent for so long works on a batch no more."""
_FOR_GOOD = timedelta(days=36_500)
"""A claim that only a person ends: what is on paper does not become unsent by the passing of time."""


class Press:
    """Makes batches, one at a time."""

    def __init__(self, scope: Scope, settings: MessagingSettings, guard: Guard) -> None:
        self._scope = scope
        self._settings = settings
        self._guard = guard
        self._writer = Writer(settings)

    async def make_next(self) -> bool:
        """Take a batch that waits, and make it; return whether there was one."""
        now = self._scope.clock.now()
        async with write(self._scope, actor=ACTOR) as tx:
            batch = (await tx.execute(sql.TAKE, {"now": now, "until": now + _WORK})).first()
        if batch is None:
            return False
        if batch.state == BatchState.COLLECTING:
            await self._guard.before_sending()
            while await self._collect(batch):
                pass
        await self._print(batch)
        return True

    async def _collect(self, batch: Row[Any]) -> bool:
        """Decide on the next letters that wait; return whether there may be more."""
        now = self._scope.clock.now()
        async with write(self._scope, actor=ACTOR) as tx:
            room = min(_COLLECTED, self._settings.letter_batch_pieces - await _count(tx, batch.id))
            rows, decided = await self._claim(tx, batch, room, now) if room > 0 else ([], 0)
            await self._keep(tx, batch, rows, now)
            has_more = room > 0 and decided == room
            if not has_more:
                await tx.execute(sql.SORT, {"batch": batch.id})
                await _set(tx, batch.id, state=BatchState.PRINTING)
            await _set(tx, batch.id, worked_on_until=now + _WORK)
        return has_more

    async def _claim(
        self, tx: Tx, batch: Row[Any], room: int, now: datetime
    ) -> tuple[Sequence[Row[Any]], int]:
        """Return what the batch may hold of the next letters, and of how many was decided."""
        today, tomorrow = days_of(now, self._settings)
        found = await tx.execute(
            sql.CLAIM,
            {
                "now": now,
                "today": today,
                "until": now + _FOR_GOOD,
                "batch": batch.id,
                "country": batch.country,
                "campaign": batch.campaign_id,
                "epoch": self._guard.epoch,
                "limit": room,
                "person_grace": self._settings.person_grace_seconds,
                "permission_grace": self._settings.permission_grace_seconds,
            },
        )
        rows = found.all()
        claimed = [row for row in rows if row.state == State.CLAIMED]
        before = await tx.scalars(
            select(letter_piece.c.message_id).where(letter_piece.c.batch_id == batch.id)
        )
        budget = await spending.within_budget(tx, [*before, *(row.id for row in claimed)], today)
        short = {
            row.id for row in claimed if budget is not None and row.id not in budget.affordable
        }
        if short:
            values = {"ids": sorted(short), "batch": batch.id, "tomorrow": tomorrow}
            await tx.execute(sql.WAIT_FOR_BUDGET, values)
            await spending.note_reached(tx, short, today)
        return [row for row in claimed if row.id not in short], len(rows)

    async def _keep(self, tx: Tx, batch: Row[Any], rows: Sequence[Row[Any]], now: datetime) -> None:
        """Keep the pieces that can be written; what cannot fails here, before anything is printed."""
        if not rows:
            return
        await self._writer.prepare(tx, rows)
        pieces: list[dict[str, Any]] = []
        failed: list[tuple[UUID, str]] = []
        copied = ("person_id", "preferred_name", "name", "street", "postal_code", "city", "country")
        for row in rows:
            try:
                language = self._writer.language_of(row)
            except CannotRender as error:
                failed.append((row.id, str(error)[:500]))
                continue
            piece = {"message_id": row.id, "batch_id": batch.id, "language": language}
            pieces.append(piece | {name: getattr(row, name) for name in copied})
        if pieces:
            await tx.execute(insert(letter_piece).values(return_code="", pages=0), pieces)
        if failed:
            ids, reasons = zip(*failed, strict=True)
            values = {"ids": list(ids), "reasons": list(reasons), "batch": batch.id, "now": now}
            await tx.execute(sql.FAIL, values)

    async def _print(self, batch: Row[Any]) -> None:
        window = window_for(batch.country, batch.print_on)
        if window is None:
            message = f"no window for {batch.country}"
            raise LookupError(message)
        folder = self._settings.data_dir
        pdf, manifest = files.pdf_of(folder, batch.id), files.manifest_of(folder, batch.id)
        drafts = files.open_draft(pdf), files.open_draft(manifest)
        pages = await self._print_into(batch, window, *drafts)
        size = 0
        if pages:
            size = await asyncio.to_thread(files.publish, drafts[0], pdf)
        await asyncio.to_thread(files.publish, drafts[1], manifest)
        async with write(self._scope, actor=ACTOR) as tx:
            await _set(
                tx, batch.id, state=BatchState.READY, letters=await _count(tx, batch.id), pages=pages,
                pdf_bytes=size, ready_at=tx.clock.now(), worked_on_until=None,
            )  # fmt: skip

    async def _print_into(self, batch: Row[Any], window: Window, pdf: Path, manifest: Path) -> int:
        """Write the files; return how many pages there are."""
        with pdf.open("wb") as letters, manifest.open("w", encoding="utf-8-sig", newline="") as csv:
            joined, table = Joined(letters), files.Manifest(csv)
            printed = 0
            while rows := await self._next(batch, printed):
                sheets = [self._writer.sheet(row, batch.number) for row in rows]
                made, pages = await asyncio.to_thread(
                    typeset, sheets, self._writer.sender, window, batch.print_on
                )
                _list(table, rows, sheets, pages, first=joined.pages + 1)
                joined.add(made)
                await self._note(batch, rows, sheets, pages)
                printed = sheets[-1].position
            if joined.pages:
                joined.close()
            return joined.pages

    async def _next(self, batch: Row[Any], after: int) -> Sequence[Row[Any]]:
        async with read(self._scope) as tx:
            rows = await rows_of(tx, batch.id, after=after, limit=CHUNK)
            await self._writer.prepare(tx, rows)
        return rows

    async def _note(
        self,
        batch: Row[Any],
        rows: Sequence[Row[Any]],
        sheets: Sequence[Sheet],
        pages: Sequence[int],
    ) -> None:
        values = {
            "ids": [row.id for row in rows],
            "codes": [sheet.return_code for sheet in sheets],
            "pages": list(pages),
        }
        async with write(self._scope, actor=ACTOR) as tx:
            await tx.execute(sql.NOTE, values)
            await _set(tx, batch.id, worked_on_until=self._scope.clock.now() + _WORK)


def _list(
    table: files.Manifest,
    rows: Sequence[Row[Any]],
    sheets: Sequence[Sheet],
    pages: Sequence[int],
    *,
    first: int,
) -> None:
    for row, sheet, count in zip(rows, sheets, pages, strict=True):
        table.add(
            (
                row.position, row.id, row.name, row.street, row.postal_code, row.city, row.country,
                sheet.language.value, count, first, row.response_code, sheet.return_code,
            )
        )  # fmt: skip
        first += count


async def _count(tx: Tx, batch_id: UUID) -> int:
    found = select(func.count()).where(letter_piece.c.batch_id == batch_id)
    return int(await tx.scalar(found) or 0)


async def _set(tx: Tx, batch_id: UUID, **values: Any) -> None:
    await tx.execute(update(letter_batch).where(letter_batch.c.id == batch_id).values(**values))
