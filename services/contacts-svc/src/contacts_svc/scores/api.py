"""Data quality at the API."""

from uuid import UUID

from contacts_svc.facts.queries import get_known
from contacts_svc.scores import queries
from contacts_svc.scores.schemas import QualityOut, SourceOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router

router = Router(prefix="/v1/quality", tags=["quality"])


@router.get("/contacts/{contact_id}", policy=needs("contacts:read"))
async def get_quality(contact_id: UUID, tx: Read) -> QualityOut:
    """Return how good what is known of a contact is now, and what would mend it."""
    return await queries.get_quality(tx, await get_known(tx, contact_id))


@router.get("/sources", policy=needs("contacts:read"))
async def list_sources(tx: Read) -> list[SourceOut]:
    """Return how good the contacts of each source are; new contacts count within ten minutes."""
    return await queries.list_sources(tx)
