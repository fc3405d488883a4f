"""What is told of deadlines."""

from collections.abc import Iterable

from kantis_contracts.orders import (
    AnswerDeadline,
    DeadlineMissedV1,
    DeadlineNearedV1,
    ResponseKind,
)
from orders_svc.responses.model import Response


def deadlines_neared(responses: Iterable[Response]) -> DeadlineNearedV1:
    """Warn that answers are due soon."""
    return DeadlineNearedV1(items=tuple(map(_deadline, responses)))


def deadlines_missed(responses: Iterable[Response]) -> DeadlineMissedV1:
    """Say that answers are late."""
    return DeadlineMissedV1(items=tuple(map(_deadline, responses)))


def _deadline(response: Response) -> AnswerDeadline:
    return AnswerDeadline(
        response_id=response.response_id,
        kind=ResponseKind(response.kind),
        next_step=response.next_step,
        person_id=response.person_id,
        campaign_id=response.campaign_id,
        cell_id=response.cell_id,
        order_id=response.order_id,
        due_at=response.due_at,
    )
