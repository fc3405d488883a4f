"""The right to be forgotten, at the API."""

from uuid import UUID

from contacts_svc.privacy import usecases
from contacts_svc.privacy.schemas import ReplayOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts", tags=["privacy"])


@router.post("/erasures/replay", policy=needs("contacts:write", privileged=True))
async def replay_erasures(tx: Write) -> ReplayOut:
    """Erase again who came back with a restored database, and tell every service again who was erased."""
    again = await usecases.erase_again(tx)
    return ReplayOut(erased_again=again, announced=await usecases.announce_again(tx))


@router.delete("/{contact_id}", policy=needs("contacts:write", privileged=True), status_code=204)
async def erase_contact(contact_id: UUID, tx: Write) -> None:
    """Erase a contact for good: every personal field is emptied, and every service is told to forget."""
    await usecases.erase(tx, contact_id)
