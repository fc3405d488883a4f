"""Pieces follow people who were merged: to the known record, and back when that was wrong."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.aliases import person_alias
from campaign_svc.base import Base
from kantis_contracts.contacts import PersonMerge
from kantis_kit.db import aliases
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

LOOK_AGAIN_TIMER = "merges.look_again"


async def take_merges(tx: Tx, items: Sequence[PersonMerge]) -> None:
    """Keep who was merged into whom, and let the pieces follow. Any order, any number of times."""
    changed = await aliases.keep(
        tx,
        person_alias,
        [
            aliases.Merge(
                one.merged_id, one.known_id, one.merge_id, one.version, one.is_undone, one.at
            )
            for one in items
        ],
    )
    if changed:
        await follow(tx, changed)
        due = tx.clock.now() + aliases.LOOK_AGAIN_AFTER
        await tx.schedule(LOOK_AGAIN_TIMER, str(new_id()), due, {"ids": [str(i) for i in changed]})


async def follow(tx: Tx, merged_ids: Sequence[UUID]) -> None:
    """Let the pieces of these ids stand where these lead now."""
    await aliases.move(tx, person_alias, Base.metadata.tables["piece"], merged_ids)
