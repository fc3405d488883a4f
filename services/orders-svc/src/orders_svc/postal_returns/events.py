"""What of returned post leaves this service."""

from collections.abc import Iterable

from kantis_contracts.orders import PostKind, PostReason, PostReturned, PostReturnedV1
from kantis_contracts.values import PostalAddress
from orders_svc.postal_returns.model import PostalReturn


def post_returned(pieces: Iterable[PostalReturn]) -> PostReturnedV1:
    """Say which pieces have come back; of those whose owner is not known here, messaging-svc may know the letter."""
    return PostReturnedV1(
        items=tuple(
            PostReturned(
                return_id=one.return_id,
                code=one.code,
                kind=PostKind(one.kind),
                reason=PostReason(one.reason),
                person_id=one.person_id,
                order_id=one.order_id,
                campaign_id=one.campaign_id,
                new_address=PostalAddress(**one.new_address)
                if one.new_address and one.person_id
                else None,
                came_at=one.came_at,
            )
            for one in pieces
        )
    )
