"""Reads of permissions."""

from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from contacts_svc.people import queries as people
from contacts_svc.people.rules import AddressInvalid, normalise_email, normalise_phone
from contacts_svc.permissions.errors import PermissionInvalid, TopicUnknown
from contacts_svc.permissions.gather import hash_array, hashes_of
from contacts_svc.permissions.hashes import identity, keyed_hash
from contacts_svc.permissions.model import (
    LedgerEntry,
    PermissionNow,
    Preference,
    Suppression,
    Topic,
)
from contacts_svc.permissions.schemas import (
    LedgerOut,
    PermissionOut,
    ProofOut,
    SuppressionOut,
    TopicOut,
    WishesOut,
)
from kantis_kit.tx import ReadTx


async def list_permissions(tx: ReadTx, person_id: UUID) -> list[PermissionOut]:
    """Return what a person allows now."""
    rows = await tx.scalars(
        select(PermissionNow)
        .where(col(PermissionNow.person_id) == person_id)
        .order_by(col(PermissionNow.channel), col(PermissionNow.purpose))
    )
    return [PermissionOut.model_validate(row) for row in rows]


async def list_proof(tx: ReadTx, person_id: UUID) -> list[ProofOut]:
    """Return every entry about a person, in the order in which they were entered."""
    rows = await tx.scalars(
        select(LedgerEntry)
        .where(col(LedgerEntry.person_id) == person_id)
        .order_by(col(LedgerEntry.seq))
    )
    return [ProofOut.model_validate(row) for row in rows]


async def _find_suppressions(tx: ReadTx, hashes: list[bytes]) -> list[SuppressionOut]:
    rows = await tx.scalars(
        select(Suppression)
        .where(col(Suppression.hash) == func.any(hash_array(hashes)))
        .order_by(col(Suppression.at), col(Suppression.id))
    )
    return [SuppressionOut.model_validate(row) for row in rows]


async def list_suppressions(tx: ReadTx, person_id: UUID) -> list[SuppressionOut]:
    """Return the suppressions of a contact's addresses, also those from before they were known. Raises `ContactUnknown`."""
    await people.get_contact(tx, person_id)
    held = (await people.list_identifiers(tx, [person_id]))[person_id]
    return await _find_suppressions(tx, hashes_of(tx, held))


def read_key(email: str, phone: str) -> tuple[str, str]:
    """Normalise the one address that was given. Raises `PermissionInvalid` naming the field."""
    field = "email" if email else "phone"
    try:
        found = normalise_email(email) if email else normalise_phone(phone, "NO")
    except AddressInvalid as error:
        raise PermissionInvalid(
            f"{field}: {error}", errors=[{"in": "body", "field": field, "message": str(error)}]
        ) from error
    return found.key


async def check_address(tx: ReadTx, key: tuple[str, str]) -> list[SuppressionOut]:
    """Return the suppressions of an address."""
    return await _find_suppressions(tx, [keyed_hash(people.suppression_key(tx), identity(*key))])


async def list_topics(tx: ReadTx, *, open_only: bool = False) -> list[TopicOut]:
    """Return the topics in the order in which they are offered."""
    wanted = select(Topic).order_by(col(Topic.position), col(Topic.key)).limit(500)
    if open_only:
        wanted = wanted.where(col(Topic.is_open))
    return [TopicOut.model_validate(row) for row in await tx.scalars(wanted)]


async def get_topic(tx: ReadTx, key: str) -> TopicOut:
    """Return a topic. Raises `TopicUnknown`."""
    row = await tx.scalar(select(Topic).where(col(Topic.key) == key))
    if row is None:
        raise TopicUnknown
    return TopicOut.model_validate(row)


async def get_wishes(tx: ReadTx, person_id: UUID) -> WishesOut:
    """Return how a contact wants to be written to; of one who never said, nothing."""
    row = await tx.scalar(select(Preference).where(col(Preference.person_id) == person_id))
    return WishesOut.model_validate(row) if row is not None else WishesOut()


async def page_ledger(tx: ReadTx, *, after: int, limit: int) -> tuple[list[LedgerOut], int | None]:
    """Return entries of the whole ledger in the order of their making, and where the next page begins."""
    rows = (
        await tx.scalars(
            select(LedgerEntry)
            .where(col(LedgerEntry.seq) > after)
            .order_by(col(LedgerEntry.seq))
            .limit(limit + 1)
        )
    ).all()
    shown = [LedgerOut.model_validate(row) for row in rows[:limit]]
    return shown, rows[limit - 1].seq if len(rows) > limit else None
