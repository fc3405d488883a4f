"""How facts are kept: in any order, each as often as it comes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, case, func, select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import Moment, row_set, table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.touched import Family, touch
from kantis_contracts.orders import OrderCard
from kantis_kit.tx import Tx


async def keep_orders(tx: Tx, cards: Sequence[OrderCard], *, paid: bool) -> None:
    """Keep what conditions need of these orders; in any order, each as often as it comes.

    The amount is that of the newest version; the moment of placing is the earliest, of payment the first one told.
    """
    newest: dict[UUID, OrderCard] = {}
    for card in cards:
        if card.order_id not in newest or newest[card.order_id].version < card.version:
            newest[card.order_id] = card
    chosen = [newest[order_id] for order_id in sorted(newest)]
    table = table_of(OrderFact)
    rows = row_set(
        "told",
        {
            "order_id": (Uuid(), [card.order_id for card in chosen]),
            "person_id": (Uuid(), [card.person_id for card in chosen]),
            "version": (Integer(), [card.version for card in chosen]),
            "total_minor": (BigInteger(), [card.total_minor for card in chosen]),
            "currency": (Text(), [card.currency for card in chosen]),
            "placed_at": (Moment, [card.changed_at for card in chosen]),
            "paid_at": (Moment, [card.changed_at if paid else None for card in chosen]),
        },
    )
    new = insert(table).from_select([column.name for column in rows.c], select(*rows.c))
    is_newer = new.excluded.version > table.c.version
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["order_id"],
            set_={
                "version": func.greatest(new.excluded.version, table.c.version),
                "total_minor": case(
                    (is_newer, new.excluded.total_minor), else_=table.c.total_minor
                ),
                "currency": case((is_newer, new.excluded.currency), else_=table.c.currency),
                "placed_at": func.least(new.excluded.placed_at, table.c.placed_at),
                "paid_at": func.least(new.excluded.paid_at, table.c.paid_at),
            },
        )
    )
    await touch(tx, [card.person_id for card in chosen], Family.ORDER)
