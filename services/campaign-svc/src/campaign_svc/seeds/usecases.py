"""Keep the seed list."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.seeds.errors import SeedsFull, SeedTwice, SeedUnknown
from campaign_svc.seeds.model import Seed
from campaign_svc.seeds.queries import MOST, list_seeds
from campaign_svc.seeds.schemas import SeedIn
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def add_seed(tx: Tx, body: SeedIn) -> Seed:
    """Put an address on the list.

    Raises:
        SeedTwice: it is there.
        SeedsFull: the list is as long as it may be.
    """
    if len(await list_seeds(tx)) >= MOST:
        raise SeedsFull(f"It has {MOST} addresses; remove one first")
    values = {
        "id": new_id(),
        **body.model_dump(mode="json"),
        "added_by": tx.actor,
        "added_at": tx.clock.now(),
    }
    made = await tx.scalar(
        insert(Seed)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(col(Seed.id))
    )
    if made is None:
        raise SeedTwice(f"email: {body.email} is on the list")
    return Seed(**values)


async def remove_seed(tx: Tx, seed_id: UUID) -> None:
    """Take an address off the list. Raises `SeedUnknown`."""
    seed = await tx.get(Seed, seed_id)
    if seed is None:
        raise SeedUnknown(f"There is no seed {seed_id}")
    await tx.delete(seed)
