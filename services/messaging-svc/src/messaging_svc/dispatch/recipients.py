"""A launch as its recipients: how many stand where, and who."""

from uuid import UUID

from sqlalchemy import func, select, true

from kantis_kit.tx import ReadTx
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.errors import LaunchNotFound
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.dispatch.queries import messages
from messaging_svc.dispatch.schemas import HoldWhy, LaunchOut, MessageOut

ENDS = (State.ACCEPTED, State.FAILED, State.SUPPRESSED, State.EXPIRED, State.IN_DOUBT)


async def get_launch(tx: ReadTx, launch_id: UUID) -> LaunchOut:
    """Return how many recipients of a launch stand where, and by which rules.

    Raises:
        LaunchNotFound: nothing of it is here.
    """
    source = (
        await tx.execute(
            select(dispatch_source.c.campaign_id, dispatch_source.c.campaign_name)
            .where(dispatch_source.c.launch_id == launch_id)
            .limit(1)
        )
    ).first()
    if source is None:
        raise LaunchNotFound("No message belongs to a launch with this id")
    counted = await tx.execute(
        select(dispatch.c.state, dispatch.c.rule, func.count().label("recipients"))
        .join(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)
        .where(dispatch_source.c.launch_id == launch_id)
        .group_by(dispatch.c.state, dispatch.c.rule)
        .order_by(dispatch.c.state, dispatch.c.rule)
    )
    states = dict.fromkeys((state.value for state in State), 0)
    rules: dict[str, dict[str, int]] = {}
    for row in counted:
        states[row.state] += row.recipients
        if row.rule not in ("", "allowed"):
            rules.setdefault(row.state, {})[row.rule] = row.recipients
    ended = sum(states[state.value] for state in ENDS)
    hold = (await tx.execute(sql.HOLD_OF, {"launch_id": launch_id})).first()
    return LaunchOut(
        launch_id=launch_id,
        campaign_id=source.campaign_id,
        campaign_name=source.campaign_name,
        recipients=sum(states.values()),
        states=states,
        rules=rules,
        is_finished=ended == sum(states.values()),
        hold=HoldWhy.model_validate(hold) if hold else None,
    )


async def list_recipients(
    tx: ReadTx, launch_id: UUID, *, state: State | None, after: UUID | None, limit: int
) -> list[MessageOut]:
    """Return a page of a launch's recipients in the order of their planning.

    Raises:
        LaunchNotFound: nothing of it is here.
    """
    sources = select(dispatch_source.c.id).where(dispatch_source.c.launch_id == launch_id)
    if (await tx.scalars(sources.limit(1))).first() is None:
        raise LaunchNotFound("No message belongs to a launch with this id")
    # A page of each cell, by its index, and of those the first: a launch of a hundred thousand is never sorted.
    cell = sources.subquery("cell")
    of_cell = select(dispatch.c.id).where(dispatch.c.source_id == cell.c.id)
    if state is not None:
        of_cell = of_cell.where(dispatch.c.state == state.value)
    if after is not None:
        of_cell = of_cell.where(dispatch.c.id > after)
    first = of_cell.order_by(dispatch.c.id).limit(limit).correlate(cell).lateral("first")
    ids = select(first.c.id).select_from(cell.join(first, true())).order_by(first.c.id).limit(limit)
    found = await tx.execute(messages().where(dispatch.c.id.in_(ids)).order_by(dispatch.c.id))
    return [MessageOut.model_validate(row) for row in found]
