"""Messages and conversations follow people who were merged: to the known record, and back when that was wrong.

What people allow is not moved: the permissions, withdrawals and suppressions of a merged id stay, and the gate asks for
those of every id that leads to the person.
"""

from collections.abc import Sequence
from uuid import UUID

from kantis_contracts.contacts import PersonMerge
from kantis_kit import merging
from kantis_kit.db import aliases
from kantis_kit.tx import Tx
from messaging_svc.aliases import person_alias
from messaging_svc.conversations.model import conversation
from messaging_svc.dispatch.model import dispatch
from messaging_svc.dispatch.news import retry_waiting


async def take_merges(tx: Tx, items: Sequence[PersonMerge]) -> None:
    """Keep who was merged into whom, and let the messages follow. Any order, any number of times."""
    await merging.take(tx, person_alias, items, follow=follow)


async def follow(tx: Tx, merged_ids: Sequence[UUID]) -> None:
    """Let messages and conversations of these ids stand where these lead now, and messages be decided on."""
    for table in (dispatch, conversation):
        await aliases.move(tx, person_alias, table, merged_ids)
    leads = await aliases.resolve(tx, person_alias, merged_ids)
    await retry_waiting(tx, sorted({*merged_ids, *leads.values()}))
