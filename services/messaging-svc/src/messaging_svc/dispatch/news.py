"""Let messages go on when there is news of whom they are for."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update

from kantis_kit.tx import Tx
from messaging_svc.dispatch.model import State, dispatch
from messaging_svc.openings.usecases import WAKE

_WAITING_FOR_NEWS = (
    "", "waits_for_person", "waits_for_permission", "waits_for_hours", "waits_for_wished_hours",
)  # fmt: skip


async def retry_waiting(tx: Tx, persons: Sequence[UUID]) -> None:
    """Let messages that wait for news of these persons be decided on now.

    Those that nobody has decided on yet are asked for as well: one that is being decided on right now, from what was
    known before this news, is waited for, and does not sleep through it.
    """
    if not persons:
        return
    waiting = (
        update(dispatch)
        .where(
            dispatch.c.state == State.PLANNED.value,
            dispatch.c.rule.in_(_WAITING_FOR_NEWS),
            dispatch.c.person_id.in_(persons),
        )
        .values(next_at=tx.clock.now())
        .returning(dispatch.c.id)
    )
    if (await tx.scalars(waiting)).first() is not None:
        await tx.execute(WAKE)
