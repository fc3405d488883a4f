"""Read plans, and what of them is overdue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.billing.model import Invoice
from orders_svc.instalments.model import Instalment, InstalmentPlan


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plan, and how much of it is still open."""

    number: int
    due_on: date
    amount_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a plan is kept: its parts, the first one that is overdue, and how much is overdue in all."""

    plan: InstalmentPlan
    parts: tuple[Part, ...]

    def overdue(self, today: date) -> tuple[date, int] | None:
        """Return since when something is overdue, and how much; None while the plan is kept."""
        late = [one for one in self.parts if one.open_minor and one.due_on < today]
        return (late[0].due_on, sum(one.open_minor for one in late)) if late else None


async def standings(tx: ReadTx, invoices: Iterable[Invoice]) -> dict[UUID, Standing]:
    """Return the plans of invoices that have one, by invoice."""
    owed = {one.invoice_id: one.open_minor for one in invoices}
    plans = list(
        await tx.scalars(
            select(InstalmentPlan).where(
                col(InstalmentPlan.invoice_id).in_(owed), col(InstalmentPlan.state) == "active"
            )
        )
    )
    if not plans:
        return {}
    rows = await tx.scalars(
        select(Instalment)
        .where(col(Instalment.plan_id).in_([one.plan_id for one in plans]))
        .order_by(col(Instalment.plan_id), col(Instalment.number))
    )
    parts: dict[UUID, list[Instalment]] = {}
    for one in rows:
        parts.setdefault(one.plan_id, []).append(one)
    return {
        plan.invoice_id: Standing(plan, _covered(plan, parts[plan.plan_id], owed[plan.invoice_id]))
        for plan in plans
    }


def _covered(plan: InstalmentPlan, parts: list[Instalment], open_minor: int) -> tuple[Part, ...]:
    paid, shown = plan.open_before_minor - open_minor, []
    for one in parts:
        covered = min(max(paid, 0), one.amount_minor)
        paid -= covered
        shown.append(Part(one.number, one.due_on, one.amount_minor, one.amount_minor - covered))
    return tuple(shown)
