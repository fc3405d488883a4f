"""Read responses."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from kantis_contracts.orders import ResponseKind
from kantis_kit.tx import ReadTx
from orders_svc.responses.errors import ResponseNotFound
from orders_svc.responses.model import NextStep, Response, ResponseState


async def get_response(tx: ReadTx, response_id: UUID) -> Response:
    """Return a response. Raises `ResponseNotFound`."""
    response = await tx.get(Response, response_id)
    if response is None:
        raise ResponseNotFound(f"No response has the id {response_id}")
    return response


async def list_responses(
    tx: ReadTx,
    *,
    state: ResponseState | None,
    kind: ResponseKind | None,
    code: str | None,
    next_step: NextStep | None,
    due_before: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Response]:
    """Return a page of responses, those that are due first in front."""
    key = tuple_(col(Response.due_at), col(Response.response_id))
    statement = (
        select(Response).order_by(col(Response.due_at), col(Response.response_id)).limit(limit)
    )
    if state is not None:
        statement = statement.where(col(Response.state) == state.value)
    if kind is not None:
        statement = statement.where(col(Response.kind) == kind.value)
    if next_step is not None:
        statement = statement.where(col(Response.next_step) == next_step.value)
    if due_before is not None:
        statement = statement.where(col(Response.due_at) < due_before)
    if code is not None:
        statement = statement.where(col(Response.response_code) == code)
    if after is not None:
        statement = statement.where(key > after)
    return list(await tx.scalars(statement))
