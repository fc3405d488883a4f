"""What a person is shown as allowed: what the table of rules decides about advertising, box by box, in one look."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import false, select

from contacts_svc.base import plain
from contacts_svc.permissions import decide_sql
from contacts_svc.permissions.known_sql import About, looked_up, person
from kantis_contracts.values import Channel, MessageClass, Purpose
from kantis_kit.tx import ReadTx

Box = tuple[Channel, Purpose]


async def list_allowed(tx: ReadTx, person_id: UUID, boxes: Sequence[Box]) -> dict[Box, bool]:
    """Say for each box whether advertising may go out to the person now, but for a pause: that is shown by itself."""
    if not boxes:
        return {}
    context = await decide_sql.load(tx)
    columns = []
    for number, (channel, purpose) in enumerate(boxes):
        known = replace(looked_up(context, About(channel, purpose)), paused=false())
        sent_as = (
            MessageClass.NEWSLETTER if purpose is Purpose.NEWSLETTER else MessageClass.MARKETING
        )
        may = decide_sql.allowed(context, channel, sent_as, purpose=purpose, known=known)
        columns.append(may.label(f"box_{number}"))
    rows = plain(
        await tx.execute(select(*columns).where(person.c.id == person_id, ~person.c.is_erased))
    )
    found = rows[0] if rows else [False] * len(boxes)
    return {box: bool(may) for box, may in zip(boxes, found, strict=True)}
