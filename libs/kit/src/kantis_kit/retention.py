"""How long which kind of data is kept: rules, and the work that follows from them, a bounded batch at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, text, true, tuple_, update

from kantis_kit import observability
from kantis_kit.forgetting import keep_periods
from kantis_kit.tx import Tx

log = observability.get_logger(__name__)

BATCH = 20_000
PARKED_DAYS = 180
"""What nobody has looked after for so long is not looked after any more, and carries what was true then."""
_PARKED = text(
    """
    DELETE FROM delivery WHERE (queue, event_id) IN (
        SELECT queue, event_id FROM delivery WHERE state = 'parked' AND last_at < :before
        ORDER BY last_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of a kind are deleted, or emptied of `values`, when they are older than so many days."""

    kind: str
    days: int
    table: Table
    at: ColumnElement[Any]
    """By which moment a row is old."""
    values: Mapping[str, Any] | None = None
    """What is left of the emptied columns; None deletes the row."""
    where: ColumnElement[bool] | None = None
    """Rows that are left to be dealt with; those without are done."""


async def keep(
    tx: Tx, rules: Sequence[Rule], *, service: str, limit: int = BATCH
) -> dict[str, int]:
    """Delete or empty what is older than it may be, at most `limit` rows of each kind; return how many those were."""
    periods, now = await keep_periods(tx), tx.clock.now()
    done: dict[str, int] = {}
    for rule in rules:
        before = now - timedelta(days=periods.get(rule.kind, rule.days))
        keys = list(rule.table.primary_key.columns)
        old = (
            select(*keys)
            .where(rule.at < before, true() if rule.where is None else rule.where)
            .order_by(rule.at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        chosen = tuple_(*keys).in_(old)
        act: Any = (
            delete(rule.table).where(chosen)
            if rule.values is None
            else update(rule.table).where(chosen).values(**rule.values)
        )
        result: Any = await tx.execute(act)
        done[rule.kind] = result.rowcount
    kind = f"{service}.message_parked"
    before = now - timedelta(days=periods.get(kind, PARKED_DAYS))
    parked: Any = await tx.execute(_PARKED, {"before": before, "limit": limit})
    done[kind] = parked.rowcount
    found = {kind: rows for kind, rows in done.items() if rows}
    if found:
        log.info("retention.kept", service=service, rows=found)
    return found
