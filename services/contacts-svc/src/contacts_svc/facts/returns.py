"""Goods that came back."""

from collections.abc import Sequence

from contacts_svc.facts.model import ReturnFact
from contacts_svc.facts.queries import known_ids
from contacts_svc.facts.usecases import add, each
from contacts_svc.touched import Family, touch
from kantis_contracts.orders import OrderReturn
from kantis_kit.tx import Tx


async def keep_returns(tx: Tx, items: Sequence[OrderReturn]) -> None:
    """Keep what people sent back; a return is told once, when its goods were credited."""
    known = await known_ids(tx, (item.person_id for item in items))
    rows = [
        {
            **item.model_dump(
                include={
                    "return_id", "order_id", "number", "refund_minor", "currency", "is_withdrawal", "campaign_id",
                    "returned_at",
                }
            ),
            "person_id": known[item.person_id],
            "lines": [line.model_dump(mode="json") for line in item.lines],
        }
        for item in each(items, "return_id")
    ]  # fmt: skip
    await add(tx, ReturnFact, rows, key="return_id")
    await touch(tx, {row["person_id"] for row in rows}, Family.ORDER)
