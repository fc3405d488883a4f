"""The right to be forgotten."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import LargeBinary, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import Person, PersonAlias, SuppressedAddress
from contacts_svc.people.rules import address_hash
from contacts_svc.permissions import queries as permission_queries
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from contacts_svc.privacy import inside, ledger, saga
from contacts_svc.privacy.errors import ErasureNotRecorded
from contacts_svc.privacy.ledger import Erasure
from contacts_svc.privacy.model import ErasureRow
from contacts_svc.quality import merging
from contacts_svc.settings import ContactsSettings
from kantis_contracts.contacts import PermissionState
from kantis_kit import observability
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

log = observability.get_logger(__name__)

T = TypeVar("T")
_CHUNK = 1_000


async def erase(tx: Tx, person_id: UUID) -> UUID:
    """Forget a person, here and by event everywhere; return the id of the erasure, under which receipts come in.

    What stays: the id, the permission ledger (it proves what was sent while they were known, and names nobody), and a
    keyed hash of each address, so that a list that somebody brings does not bring them back.

    Raises:
        ContactUnknown: never there, or erased already.
        ErasureNotRecorded: the data folder cannot be written; a restore would undo the erasure.

    Source: GDPR Art. 17 (erasure), Art. 7(1) (consent must be demonstrable).
    """
    person = await people_queries.get_for_update(tx, person_id)
    erasure = await _forget(tx, person)
    # All that can fail has been done: the record is the last thing before the commit.
    await tx.flush()
    await _record(tx, [erasure])
    return erasure.erasure_id or person_id


async def erase_again(tx: Tx) -> int:
    """Erase those whom the record knows and the database does not; return how many came back.

    A database that was restored is older than the record in the data folder. What the record lacks (it is younger
    than the database, or was lost) is added to it.
    """
    known = await asyncio.to_thread(ledger.read_all, tx.settings(ContactsSettings).data_dir)
    await _suppress(tx, known)
    recorded = {one.person_id: one for one in known if one.person_id}
    # Those that this database has never heard of are asked for too: another service may know them.
    await saga.ask(tx, await saga.enter_recorded(tx, known))
    count = 0
    for chunk in _chunks(sorted(recorded)):
        for person in await _not_erased(tx, chunk):
            # The restored version may be lower than what others have seen: they would take the news for old.
            await _forget(tx, person, recorded=recorded[person.id])
            tx.audit("contacts.erase_again", str(person.id))
            count += 1
    await tx.flush()  # those erased again are known to the record already
    try:
        await _record(tx, await _unrecorded(tx, known))
    except ErasureNotRecorded as error:
        # Tried again within the hour; that those who came back are erased must not wait for it.
        log.warning("erasures.not_recorded", problem=str(error))
    return count


async def announce_again(tx: Tx) -> int:
    """Tell the other services again who was erased: one of them may have been restored; return how many that are."""
    erased = list(await tx.scalars(select(col(Person.id)).where(col(Person.is_erased))))
    for chunk in _chunks(sorted(erased)):
        rows = await tx.scalars(
            select(Person).where(col(Person.id) == people_queries.any_of(chunk))
        )
        await people.announce(tx, {person.id: person for person in rows})
    await saga.ask_all_again(tx)
    return len(erased)


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


async def _not_erased(tx: Tx, ids: Sequence[UUID]) -> Sequence[Person]:
    rows = await tx.scalars(
        select(Person)
        .where(col(Person.id) == people_queries.any_of(ids), ~col(Person.is_erased))
        .order_by(col(Person.id))
        .with_for_update()
    )
    return rows.all()


async def _unrecorded(tx: Tx, known: Sequence[Erasure]) -> list[Erasure]:
    """Return what the database knows of erasures and the record does not."""
    ids = {one.person_id for one in known}
    rows = await tx.execute(
        select(col(Person.id), col(Person.updated_at), col(Person.version)).where(
            col(Person.is_erased)
        )
    )
    missing = [
        Erasure(id_, at, version=version) for id_, at, version in plain(rows) if id_ not in ids
    ]
    hashes = ledger.all_hashes(known)
    suppressed = table_of(SuppressedAddress)
    held = await tx.execute(select(suppressed.c.hash, suppressed.c.kind, suppressed.c.erased_at))
    return missing + [
        Erasure(None, at, ((kind, bytes(digest)),))
        for digest, kind, at in plain(held)
        if bytes(digest) not in hashes
    ]


async def _record(tx: Tx, erasures: Sequence[Erasure]) -> None:
    try:
        await asyncio.to_thread(ledger.append, tx.settings(ContactsSettings).data_dir, erasures)
    except OSError as error:
        raise ErasureNotRecorded(
            f"The data folder of contacts cannot be written ({error.strerror}); mend that and try again"
        ) from error


async def _forget(tx: Tx, person: Person, *, recorded: Erasure | None = None) -> Erasure:
    now, person_id = tx.clock.now(), person.id
    held = (await people_queries.list_identifiers(tx, [person_id]))[person_id]
    secret = people_queries.suppression_key(tx)
    # A phone that others have too is not suppressed: it would keep them out.
    own = [(one.kind, one.value) for one in held if one.is_identifying]
    hashes = sorted((kind, address_hash(secret, (kind, value))) for kind, value in own)
    merged = await _merged_ids(tx, person_id)
    if recorded is not None:
        merged = sorted({*merged, *recorded.merged_ids})
    erasure = Erasure(
        person_id,
        now,
        tuple(hashes),
        max(recorded.version if recorded else 0, person.version + 1),
        (recorded.erasure_id if recorded else None) or new_id(),
        tuple(merged),
    )
    await _suppress(tx, [erasure])
    withdrawn = [
        Statement(person_id, one.channel, one.purpose, PermissionState.WITHDRAWN, "erasure", now)
        for one in await permission_queries.list_permissions(tx, person_id)
        if one.state is not PermissionState.WITHDRAWN
    ]
    await permissions.record(tx, withdrawn)
    salt, disguised = saga.disguise(own)
    removed = await inside.forget(tx, person, merged)
    person.erase(at=now, version=erasure.version)
    await tx.flush()  # what merges keep is emptied for those who are erased
    await merging.forget(tx, [person_id])
    await people.announce(tx, {person_id: person})
    await saga.begin(
        tx,
        ErasureRow(
            id=erasure.erasure_id or person_id,
            person_id=person_id,
            person_ids=[str(person_id), *map(str, merged)],
            requested_at=now,
            requested_by=tx.actor,
            salt=salt,
            address_hashes=disguised,
            removed=removed,
        ),
    )
    return erasure


async def _merged_ids(tx: Tx, person_id: UUID) -> list[UUID]:
    rows = await tx.scalars(
        select(col(PersonAlias.merged_id))
        .where(col(PersonAlias.known_id) == person_id)
        .order_by(col(PersonAlias.merged_id))
    )
    return list(rows)


async def _suppress(tx: Tx, erasures: Sequence[Erasure]) -> None:
    for chunk in _chunks(sorted(ledger.all_hashes(erasures).items())):
        rows = column_set(
            "erased",
            {
                "hash": (LargeBinary(), [digest for digest, _ in chunk]),
                "kind": (Text(), [kind for _, (kind, _) in chunk]),
                "erased_at": (Moment, [at for _, (_, at) in chunk]),
            },
        )
        await tx.execute(
            insert(table_of(SuppressedAddress))
            .from_select(["hash", "kind", "erased_at"], select(*rows.c))
            .on_conflict_do_nothing()
        )
