"""Lock periods of the ledger."""

from datetime import date

from sqlalchemy import func
from sqlmodel import col, select

from kantis_kit.calendar import date_in
from kantis_kit.tx import Tx
from orders_svc.billing.ledger.errors import PeriodLocked
from orders_svc.billing.model import LedgerLock
from orders_svc.settings import OrdersSettings


async def lock_period(tx: Tx, until: date, *, reason: str) -> LedgerLock:
    """Let nothing be booked any more up to a day, that day included; what belongs there later goes to the open period.

    Raises:
        PeriodLocked: the day is not over, or an earlier lock goes as far.
    """
    # Exclusive against what books: that shares this lock until its commit.
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("orders.ledger_lock"))))
    now = tx.clock.now()
    today = date_in(now, tx.settings(OrdersSettings).company_country)
    if until >= today:
        raise PeriodLocked(
            f"locked_until: {until} is not over; lock a period when it is, at the latest {today} minus one day"
        )
    held: date | None = await tx.scalar(select(func.max(col(LedgerLock.locked_until))))
    if held is not None and until <= held:
        raise PeriodLocked(
            f"locked_until: the ledger is locked until {held} already, and a lock is never taken back; what was booked"
            " wrongly is corrected in the open period"
        )
    lock = LedgerLock(locked_until=until, locked_at=now, actor=tx.actor, reason=reason)
    tx.add(lock)
    tx.audit("ledger.lock", str(until), reason=reason)
    return lock
