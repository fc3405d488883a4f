"""Messages follow people who were merged: to the known record, and back when that was wrong.

What people allow is not moved: the permissions, withdrawals and suppressions of a merged id stay, and the gate asks for
those of every id that leads to the person.
"""

from collections.abc import Sequence
from uuid import UUID

from kantis_contracts.contacts import PersonMerge
from kantis_kit.db import aliases
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.aliases import person_alias
from messaging_svc.dispatch.model import dispatch
from messaging_svc.dispatch.usecases import retry_waiting

LOOK_AGAIN_TIMER = "merges.look_again"


async def take_merges(tx: Tx, items: Sequence[PersonMerge]) -> None:
    """Keep who was merged into whom, and let the messages follow. Any order, any number of times."""
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
    """Let messages that were planned for these ids stand where these lead now, and be decided on."""
    await aliases.move(tx, person_alias, dispatch, merged_ids)
    leads = await aliases.resolve(tx, person_alias, merged_ids)
    await retry_waiting(tx, sorted({*merged_ids, *leads.values()}))
