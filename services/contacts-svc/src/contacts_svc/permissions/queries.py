"""Reads of permissions."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.permissions.model import LedgerEntry, PermissionNow
from contacts_svc.permissions.schemas import PermissionOut, ProofOut
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
