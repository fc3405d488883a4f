"""What is told of people follows people who were merged: to the known record, and back when that was wrong."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.aliases import person_alias
from campaign_svc.base import Base
from kantis_contracts.contacts import PersonMerge
from kantis_kit import merging
from kantis_kit.db import aliases
from kantis_kit.tx import Tx


async def take_merges(tx: Tx, items: Sequence[PersonMerge]) -> None:
    """Keep who was merged into whom, and let the pieces follow. Any order, any number of times."""
    await merging.take(tx, person_alias, items, follow=follow)


async def follow(tx: Tx, merged_ids: Sequence[UUID]) -> None:
    """Let what came under these ids stand where these lead now: whatever table has room for the id it came under."""
    for table in Base.metadata.sorted_tables:
        if {"person_id", "merged_id"} <= set(table.c.keys()):
            await aliases.move(tx, person_alias, table, merged_ids)
