"""Ask again for what waits; put off what has to wait."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text, update

from kantis_kit.tx import Tx
from messaging_svc.openings.model import opening

SEEN = "(SELECT count FROM opening) AS opening_seen"
"""For statements that put messages off: how often something was opened, as their snapshot shows it."""

WAKE = text("SELECT pg_notify('kantis_dispatch', '')")
"""Have the senders look at once."""

_SLEEP = frozenset(
    ("waits_for_resume", "waits_for_hours", "waits_for_wished_hours", "waits_for_budget")
)
"""Rules by which messages wait long, until something is opened."""

_A_MOMENT = timedelta(seconds=1)

_DECIDE_SOON = text(
    "UPDATE dispatch SET next_at = :at WHERE id = ANY(cast(:ids AS uuid[])) AND state = 'planned'"
)


async def ask_again(tx: Tx, which: str, **values: object) -> None:
    """Have messages that wait decided on now; call it after what holds them back has changed.

    Args:
        tx: the transaction in which it has changed.
        which: a condition on `dispatch`; a constant, its values are given apart.
        values: of the condition's parameters.
    """
    await tx.execute(update(opening).values(count=opening.c.count + 1))
    asked = text(
        f"UPDATE dispatch SET next_at = :now WHERE state = 'planned' AND {which} RETURNING id"  # noqa: S608
    )
    if (await tx.scalars(asked, {"now": tx.clock.now(), **values})).first() is not None:
        await tx.execute(WAKE)


async def put_off(tx: Tx, decided: Sequence[Row[Any]], *, now: datetime) -> None:
    """Let messages sleep that a statement of this transaction has put off, unless something was opened meanwhile.

    Args:
        tx: the transaction; from here to its commit no opening can end.
        decided: what the statement returned: `id`, `rule` and `opening_seen` (`SEEN`) of each message.
        now: the time by which it decided.
    """
    asleep = [row for row in decided if row.rule in _SLEEP]
    if not asleep:
        return
    same = select(opening.c.count).where(opening.c.count == asleep[0].opening_seen)
    if await tx.scalar(same.with_for_update(read=True, skip_locked=True)) is None:
        await tx.execute(_DECIDE_SOON, {"ids": [row.id for row in asleep], "at": now + _A_MOMENT})
