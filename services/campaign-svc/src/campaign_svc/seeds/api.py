"""The seed list: addresses of our own that see a campaign before anybody else."""

from uuid import UUID

from campaign_svc.seeds import queries, usecases
from campaign_svc.seeds.schemas import SeedIn, SeedOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/seeds", tags=["campaigns"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.get("", policy=READ)
async def list_seeds(tx: Read) -> list[SeedOut]:
    """Return the seed list."""
    return await queries.list_seeds(tx)


@router.post("", policy=WRITE, status_code=201)
async def add_seed(body: SeedIn, tx: Write) -> SeedOut:
    """Put an address of our own on the seed list."""
    return SeedOut.model_validate(await usecases.add_seed(tx, body))


@router.delete("/{seed_id}", policy=WRITE, status_code=204)
async def remove_seed(seed_id: UUID, tx: Write) -> None:
    """Take an address off the seed list."""
    await usecases.remove_seed(tx, seed_id)
