"""An erasure over all services: asked, answered by receipts, asked again until every one is there; never undone."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.people.queries import any_of
from contacts_svc.privacy import events
from contacts_svc.privacy.ledger import Erasure
from contacts_svc.privacy.model import SERVICES, ErasureRow, Receipt, ReceiptState, pause_after
from kantis_contracts.privacy import ErasureReceipt
from kantis_kit import observability
from kantis_kit.forgetting import remember
from kantis_kit.tx import Tx

log = observability.get_logger(__name__)

ASK_TIMER = "privacy.ask"
REMIND_FOR = timedelta(days=35)
"""How long services are reminded by themselves: as long as backups are kept that could bring somebody back."""
_CHUNK = 1_000


def disguise(addresses: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return a salt and salted hashes of addresses, for services that find a person by an address alone.

    Of phones the last eight digits count: whoever has a text before them need not know how a country writes numbers.
    """
    salt = secrets.token_hex(16)
    values = sorted({value.lower() if kind == "email" else value[-8:] for kind, value in addresses})
    return salt, [hashlib.sha256(f"{salt}{value}".encode()).hexdigest() for value in values]


async def begin(tx: Tx, row: ErasureRow) -> None:
    """Enter an erasure, and ask every service."""
    table = table_of(ErasureRow)
    new = insert(table).values(**row.model_dump())
    await tx.execute(
        new.on_conflict_do_update(
            # Back with a restored database: it goes on as the erasure that the record knows.
            index_elements=["person_id"],
            set_={"removed": new.excluded.removed},
        )
    )
    rows = await tx.scalars(select(ErasureRow).where(col(ErasureRow.person_id) == row.person_id))
    await ask(tx, list(rows))


async def ask(
    tx: Tx,
    rows: Sequence[ErasureRow],
    *,
    services: Sequence[str] = (),
    is_reminder: bool = False,
) -> None:
    """Ask services to forget, and look after their answers later."""
    now = tx.clock.now()
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        await remember(
            tx, [(UUID(id_), row.id, row.requested_at) for row in part for id_ in row.person_ids]
        )
        tx.stage(events.erasures_requested(part, services=services, is_reminder=is_reminder))
        if is_reminder:
            continue
        await _open(tx, [row.id for row in part], services or SERVICES)
        due = now + pause_after(1)
        await tx.schedule_many(ASK_TIMER, [(str(row.id), due, {}) for row in part])


async def _open(tx: Tx, erasure_ids: Sequence[UUID], services: Sequence[str]) -> None:
    table, now = table_of(Receipt), tx.clock.now()
    new = insert(table).values(
        [
            {
                "erasure_id": id_,
                "service": service,
                "state": ReceiptState.ASKED.value,
                "asks": 1,
                "asked_at": now,
                "overdue_at": now + pause_after(1),
                "done_at": None,
                "removed": {},
                "kept": [],
            }
            for id_ in sorted(erasure_ids)
            for service in sorted(services)
        ]
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["erasure_id", "service"],
            # What was answered before stays to be seen until the new answer comes.
            set_={
                "state": ReceiptState.ASKED.value,
                "asks": 1,
                "asked_at": now,
                "overdue_at": new.excluded.overdue_at,
            },
        )
    )


async def ask_again(tx: Tx, erasure_ids: Iterable[UUID]) -> int:
    """Ask those again who have not answered in time, each time after a longer pause; return how many asks that are."""
    now, count = tx.clock.now(), 0
    table = table_of(Receipt)
    late = plain(
        await tx.execute(
            select(table.c.erasure_id, table.c.service, table.c.asks)
            .where(
                table.c.erasure_id == any_of(sorted(set(erasure_ids))),
                table.c.state == ReceiptState.ASKED.value,
            )
            .order_by(table.c.erasure_id, table.c.service)
            .with_for_update()
        )
    )
    by_service: dict[str, list[UUID]] = {}
    for erasure_id, service, asks in late:
        pause = pause_after(asks + 1)
        await tx.execute(
            update(table)
            .where(table.c.erasure_id == erasure_id, table.c.service == service)
            .values(asks=asks + 1, asked_at=now)
        )
        await tx.schedule(ASK_TIMER, str(erasure_id), now + pause)
        by_service.setdefault(service, []).append(erasure_id)
        count += 1
    for service, ids in sorted(by_service.items()):
        rows = await tx.scalars(
            select(ErasureRow).where(col(ErasureRow.id) == any_of(ids)).order_by(col(ErasureRow.id))
        )
        tx.stage(events.erasures_requested(rows.all(), services=(service,)))
    if count:
        log.warning("erasures.asked_again", receipts=count)
    return count


async def take(tx: Tx, service: str, receipts: Sequence[ErasureReceipt]) -> None:
    """Enter receipts; the newest of a service holds."""
    table = table_of(Receipt)
    for one in sorted(receipts, key=lambda receipt: (receipt.erasure_id, receipt.done_at)):
        kept = [kept.model_dump(mode="json") for kept in one.kept]
        await tx.execute(
            update(table)
            .where(
                table.c.erasure_id == one.erasure_id,
                table.c.service == service,
                func.coalesce(table.c.done_at, one.done_at) <= one.done_at,
            )
            .values(
                state=ReceiptState.DONE.value,
                done_at=one.done_at,
                # What was found by an earlier ask was forgotten, too.
                removed=literal(one.removed, JSONB()) if one.removed else table.c.removed,
                kept=literal(kept, JSONB()) if kept else table.c.kept,
            )
        )
    ids = sorted({one.erasure_id for one in receipts})
    open_ = select(table.c.erasure_id).where(
        table.c.erasure_id == table_of(ErasureRow).c.id,
        table.c.state == ReceiptState.ASKED.value,
    )
    done = await tx.scalars(
        update(table_of(ErasureRow))
        .where(
            table_of(ErasureRow).c.id == any_of(ids),
            ~open_.correlate(table_of(ErasureRow)).exists(),
        )
        .values(address_hashes=literal([], JSONB()))
        .returning(table_of(ErasureRow).c.id)
    )
    await tx.cancel(ASK_TIMER, [str(id_) for id_ in done])


async def enter_recorded(tx: Tx, known: Sequence[Erasure]) -> list[ErasureRow]:
    """Enter the erasures of the record that the database does not know; return them.

    Everybody else forgets them too, also those whom this database has never heard of.
    """
    wanted = {one.person_id: one for one in known if one.person_id is not None}
    ids = sorted(wanted)
    new: list[ErasureRow] = []
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        held = set(
            await tx.scalars(
                select(col(ErasureRow.person_id)).where(col(ErasureRow.person_id) == any_of(part))
            )
        )
        new += [_of_record(wanted[id_], id_) for id_ in part if id_ not in held]
    for row in new:
        await tx.execute(
            insert(table_of(ErasureRow)).values(**row.model_dump()).on_conflict_do_nothing()
        )
    return new


def _of_record(one: Erasure, person_id: UUID) -> ErasureRow:
    return ErasureRow(
        id=one.erasure_id
        or person_id,  # a line from before receipts: the id is as good a name as any
        person_id=person_id,
        person_ids=[str(person_id), *map(str, one.merged_ids)],
        requested_at=one.at,
        requested_by="record",
        salt="",
        address_hashes=[],
        removed={},
    )


async def remind(tx: Tx) -> int:
    """Ask everybody for the erasures of the last weeks: a service may have been set back meanwhile.

    Only who finds something answers.
    """
    rows = await tx.scalars(
        select(ErasureRow)
        .where(col(ErasureRow.requested_at) > tx.clock.now() - REMIND_FOR)
        .order_by(col(ErasureRow.requested_at), col(ErasureRow.id))
    )
    found = list(rows)
    await ask(tx, found, is_reminder=True)
    return len(found)


async def ask_all_again(tx: Tx) -> int:
    """Ask every service for every erasure; return how many that are."""
    count, after = 0, UUID(int=0)
    while True:
        rows = list(
            await tx.scalars(
                select(ErasureRow)
                .where(col(ErasureRow.id) > after)
                .order_by(col(ErasureRow.id))
                .limit(_CHUNK)
            )
        )
        if not rows:
            return count
        await ask(tx, rows)
        count, after = count + len(rows), rows[-1].id
