"""What of returns leaves this service."""

from collections.abc import Sequence
from datetime import datetime

from kantis_contracts.orders import OrderReturn, OrderReturnedV1
from orders_svc.orders.events import line_cards
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.returns.model import GoodsReturn


def goods_returned(
    one: GoodsReturn,
    order: SalesOrder,
    lines: Sequence[OrderLine],
    in_all_minor: int,
    at: datetime,
) -> OrderReturnedV1:
    """Say that goods of an order have come back, and what of the order has come back in all."""
    return OrderReturnedV1(
        items=(
            OrderReturn(
                return_id=one.return_id,
                order_id=order.order_id,
                number=one.number,
                person_id=order.person_id,
                campaign_id=order.campaign_id,
                cell_id=order.cell_id,
                refund_minor=one.refund_minor,
                returned_minor=in_all_minor,
                currency=order.currency,
                is_withdrawal=one.is_withdrawal,
                lines=line_cards(lines),
                returned_at=at,
            ),
        )
    )
