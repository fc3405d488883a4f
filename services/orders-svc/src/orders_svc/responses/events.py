"""What of a response leaves this service."""

from collections.abc import Iterable

from kantis_contracts.orders import (
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from orders_svc.responses.model import Response


def responses_registered(responses: Iterable[Response]) -> ResponseRegisteredV1:
    """Say that responses have been registered, now that it is known whose they are."""
    return ResponseRegisteredV1(
        items=tuple(
            ResponseRegistered(
                response_id=response.response_id,
                kind=ResponseKind(response.kind),
                way=ResponseWay(response.way),
                response_code=response.response_code or "",
                piece_id=response.piece_id,
                person_id=response.person_id,
                campaign_id=response.campaign_id,
                cell_id=response.cell_id,
                responded_at=response.responded_at,
            )
            for response in responses
        )
    )
