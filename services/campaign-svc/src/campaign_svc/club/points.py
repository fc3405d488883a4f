"""The ledger of points: earned by what was paid, taken back with what comes back, spent, and expired by the clock.

Entries are only ever added. What an order is worth follows from what was paid for it and what of it came back; booked is
the difference to what is booked already, so that any order and any number of news end the same.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from campaign_svc.club import messages, sql
from campaign_svc.club.errors import PointsShort
from campaign_svc.club.model import ClubRules, PointsEntry
from campaign_svc.club.texts import standing
from kantis_contracts.orders import OrderCard, OrderReturn
from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_LOCK = 0x636C7562  # 'club': two tills that spend the points of one person take turns
_BY_EVENT = "orders"


async def lock(tx: Tx, person_id: UUID) -> None:
    """Let nobody else join or spend as this person until the end of the transaction."""
    await tx.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(f"{person_id}"))))


async def earn(tx: Tx, paid: Sequence[OrderCard]) -> None:
    """Book what members have earned by orders that were paid; told again, or of others, it changes nothing."""
    told = sorted({one.order_id: one for one in paid}.values(), key=lambda one: one.order_id)
    await tx.execute(
        sql.PAY,
        {
            "orders": [one.order_id for one in told],
            "people": [one.person_id for one in told],
            "amounts": [one.total_minor for one in told],
            "currencies": [one.currency for one in told],
            "moments": [one.changed_at for one in told],
            "versions": [one.version for one in told],
        },
    )
    await _settle(tx, [one.order_id for one in told], by=_BY_EVENT)


async def take_back_unpaid(tx: Tx, unpaid: Sequence[OrderCard]) -> None:
    """Take back what orders had earned whose money the bank took back, also when that is told before their payment."""
    told = sorted({one.order_id: one for one in unpaid}.values(), key=lambda one: one.order_id)
    orders = [one.order_id for one in told]
    await tx.execute(
        sql.UNPAY,
        {
            "orders": orders,
            "people": [one.person_id for one in told],
            "versions": [one.version for one in told],
        },
    )
    await _settle(tx, orders, by=_BY_EVENT)


async def take_back_cancelled(tx: Tx, cancelled: Sequence[OrderCard]) -> None:
    """Take back what orders had earned that were called off, also when that is told before their payment."""
    told = {one.order_id: one.person_id for one in cancelled}
    orders = sorted(told)
    await tx.execute(sql.CANCEL, {"orders": orders, "people": [told[one] for one in orders]})
    await _settle(tx, orders, by=_BY_EVENT)


async def take_back_credited(tx: Tx, items: Sequence[OrderReturn]) -> None:
    """Take back the share of goods that were credited, also when that is told before their payment."""
    told: dict[UUID, OrderReturn] = {}
    for one in items:
        if one.order_id not in told or told[one.order_id].returned_minor < one.returned_minor:
            told[one.order_id] = one
    orders = sorted(told)
    await tx.execute(
        sql.KNOW, {"orders": orders, "people": [told[one].person_id for one in orders]}
    )
    await take_back_returned(tx, {one: told[one].returned_minor for one in orders})


async def take_back_returned(tx: Tx, returned_minor: Mapping[UUID, int]) -> None:
    """Take back the share of what came back in all, also when its points were spent: the balance may become negative.

    The most that was ever told of an order holds.
    """
    orders = sorted(returned_minor)
    await tx.execute(
        sql.RETURN, {"orders": orders, "amounts": [returned_minor[one] for one in orders]}
    )
    await _settle(tx, orders, by=tx.actor)


async def _settle(tx: Tx, orders: Sequence[UUID], *, by: str) -> None:
    entries = [new_id() for _ in orders]
    given = {"orders": list(orders), "ids": entries}
    await tx.execute(sql.LOCK_ORDERS, {"orders": list(orders)})
    await tx.execute(sql.SETTLE, {**given, "by": by, "now": tx.clock.now()})
    await messages.tell_tiers(tx, entries)


async def spend(tx: Tx, person_id: UUID, amount: int, reason: str, language: Language) -> int:
    """Spend points and return the balance. Raises `PointsShort`."""
    await lock(tx, person_id)
    balance = int(
        await tx.scalar(
            select(func.coalesce(func.sum(col(PointsEntry.points)), 0)).where(
                col(PointsEntry.person_id) == person_id
            )
        )
    )
    if balance < amount:
        raise PointsShort(f"{standing(balance, language)} ({amount})", balance=balance)
    await _book(tx, {person_id: -amount}, "spent", reason)
    return balance - amount


async def adjust(
    tx: Tx, person_id: UUID, amount: int, reason: str, rules: ClubRules | None
) -> None:
    """Give or take points by hand; what is given expires as what is earned does."""
    days = rules.expires_after_days if rules is not None and amount > 0 else None
    await _book(tx, {person_id: amount}, "adjusted", reason, expires_after_days=days)


async def expire(tx: Tx) -> None:
    """Book off what has expired: of the oldest points, what was neither spent nor taken back in time."""
    now = tx.clock.now()
    people = sorted(await tx.scalars(sql.EXPIRING, {"now": now}))
    for one in people:  # who spends just now comes first, or after this
        await lock(tx, one)
    rows = await tx.execute(sql.EXPIRED, {"people": people, "now": now})
    await _book(tx, {row.person_id: -int(row.points) for row in rows}, "expired", "expired")


async def _book(
    tx: Tx,
    entries: dict[UUID, int],
    kind: str,
    reason: str,
    *,
    expires_after_days: int | None = None,
) -> None:
    if not entries:
        return
    now = tx.clock.now()
    await tx.execute(
        sql.BOOK,
        {
            "ids": [new_id() for _ in entries],
            "people": list(entries),
            "points": list(entries.values()),
            "kind": kind,
            "reason": reason,
            "by": tx.actor,
            "now": now,
            "expires_at": now + timedelta(days=expires_after_days) if expires_after_days else None,
        },
    )
