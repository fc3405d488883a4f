"""What a person's own pages show."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.facts.model import OrderFact
from contacts_svc.people import queries as people
from contacts_svc.permissions import queries as permissions
from contacts_svc.selfservice.schemas import OrderOut, OwnDataOut
from kantis_kit.tx import ReadTx

MOST = 10_000


async def gather_own_data(tx: ReadTx, person_id: UUID) -> OwnDataOut:
    """Return what the register of contacts knows of a person. Raises `ContactUnknown`."""
    orders = await tx.scalars(
        select(OrderFact)
        .where(col(OrderFact.person_id) == person_id)
        .order_by(col(OrderFact.placed_at), col(OrderFact.order_id))
        .limit(MOST)
    )
    return OwnDataOut(
        contact=await people.get_contact(tx, person_id),
        wishes=await permissions.get_wishes(tx, person_id),
        permissions=await permissions.list_permissions(tx, person_id),
        ledger=await permissions.list_proof(tx, person_id),
        suppressions=await permissions.list_suppressions(tx, person_id),
        changes=await people.list_changes(tx, person_id, limit=MOST),
        orders=[OrderOut.model_validate(row) for row in orders],
    )
