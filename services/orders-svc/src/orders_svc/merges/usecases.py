"""Answers, orders and invoices follow people who were merged: to the known record, and back when that was wrong.

Response codes are resolved when they are used, and postings stay as they were booked.
"""

from collections.abc import Sequence
from uuid import UUID

from kantis_contracts.contacts import PersonMerge
from kantis_kit import merging
from kantis_kit.db import aliases
from kantis_kit.tx import Tx
from orders_svc.aliases import person_alias
from orders_svc.base import table_of
from orders_svc.billing.model import Invoice
from orders_svc.orders.model import SalesOrder
from orders_svc.postal_returns.model import PostalReturn
from orders_svc.responses.model import Response


async def take_merges(tx: Tx, items: Sequence[PersonMerge]) -> None:
    """Keep who was merged into whom, and let what is theirs follow. Any order, any number of times."""
    await merging.take(tx, person_alias, items, follow=follow)


async def follow(tx: Tx, merged_ids: Sequence[UUID]) -> None:
    """Let what came under these ids stand where these lead now."""
    # Orders before responses, as when an order ships: so the two never wait for each other in a circle.
    for model in (SalesOrder, Invoice, Response, PostalReturn):
        await aliases.move(tx, person_alias, table_of(model), merged_ids)
