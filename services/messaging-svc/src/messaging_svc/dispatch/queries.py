"""Read the ledger."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, select

from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx
from messaging_svc.aliases import person_alias
from messaging_svc.dispatch.errors import MessageNotFound
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.dispatch.schemas import MessageOut


def messages() -> Select[Any]:
    """Return the lines of the API, to be narrowed."""
    return select(
        *(dispatch.c[name] for name in (
            "id", "origin", "state", "channel", "is_marketing", "person_id", "piece_id", "response_code", "rule",
            "reason", "attempts", "planned_at", "handed_over_at", "settled_at", "merged_id", "priority",
            "cost_minor",
        )),
        dispatch.c.rfc_message_id.label("message_id"),
        case((dispatch.c.state == State.PLANNED.value, dispatch.c.next_at)).label("due_at"),
        dispatch_source.c.campaign_id, dispatch_source.c.cell_id, dispatch_source.c.key_code,
    ).outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)  # fmt: skip


async def list_messages(
    tx: ReadTx,
    *,
    campaign_id: UUID | None = None,
    person_id: UUID | None = None,
    state: State | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[MessageOut]:
    """Return a page of messages in the order of their planning."""
    statement = messages().order_by(dispatch.c.id).limit(limit)
    if campaign_id:
        statement = statement.where(dispatch_source.c.campaign_id == campaign_id)
    if person_id:
        leads = await resolve(tx, person_alias, [person_id])
        statement = statement.where(dispatch.c.person_id == leads.get(person_id, person_id))
    if state:
        statement = statement.where(dispatch.c.state == state.value)
    if after:
        statement = statement.where(dispatch.c.id > after)
    return [MessageOut.model_validate(row) for row in await tx.execute(statement)]


async def get_message(tx: ReadTx, message_id: UUID) -> MessageOut:
    """Return one message.

    Raises:
        MessageNotFound: there is none.
    """
    row = (await tx.execute(messages().where(dispatch.c.id == message_id))).first()
    if row is None:
        raise MessageNotFound("No message has this id")
    return MessageOut.model_validate(row)


async def sources_of(
    tx: ReadTx, ids: Collection[UUID]
) -> dict[UUID, tuple[UUID | None, UUID | None]]:
    """Return campaign and cell of each source; a step is of none."""
    if not ids:
        return {}
    found = await tx.execute(
        select(
            dispatch_source.c.id, dispatch_source.c.campaign_id, dispatch_source.c.cell_id
        ).where(dispatch_source.c.id.in_(ids))
    )
    return {row.id: (row.campaign_id, row.cell_id) for row in found}
