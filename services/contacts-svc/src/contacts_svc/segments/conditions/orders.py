"""Clauses about what a person has ordered and what they owe."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contacts_svc.segments.conditions.base import (
    MAX_DAYS,
    MAX_NUMBER,
    Campaigns,
    Clause,
    Counted,
    Days,
    counted,
    names,
    of_campaigns,
)
from kantis_contracts.orders import DunningState

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class OrderMeasure(StrEnum):
    """What is measured of a person's orders."""

    COUNT = "count"
    TOTAL_MINOR = "total_minor"


class OrderState(StrEnum):
    """Which orders count; `open` is neither shipped nor cancelled."""

    ANY = "any"
    OPEN = "open"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Orders(Counted):
    """A number made of the person's orders; `since` or `within_days` narrows which count, `paid_only` too.

    Cancelled orders count only when asked for.
    """

    op: Literal["orders"]
    measure: OrderMeasure = OrderMeasure.COUNT
    value: int = Field(ge=0, le=MAX_NUMBER)
    currency: Currency | None = None
    paid_only: bool = False
    state: OrderState = OrderState.ANY
    campaign_ids: Campaigns = ()

    @model_validator(mode="after")
    def check_currency(self) -> Self:
        """Amounts of several currencies are not added up."""
        if self.measure is OrderMeasure.TOTAL_MINOR and self.currency is None:
            message = "orders: an amount needs its currency"
            raise ValueError(message)
        return self


class LastOrder(Clause):
    """The person's last order was placed within these days."""

    op: Literal["last_order"]
    within_days: Days


class ReturnMeasure(StrEnum):
    """What is measured of the goods that a person sent back."""

    COUNT = "count"
    REFUND_MINOR = "refund_minor"


class Returns(Counted):
    """How often the person sent goods back, or how much was credited for them; a window is about when they came back."""

    op: Literal["returns"]
    measure: ReturnMeasure = ReturnMeasure.COUNT
    value: int = Field(default=1, ge=0, le=MAX_NUMBER)
    currency: Currency | None = None
    campaign_ids: Campaigns = ()

    @model_validator(mode="after")
    def check_currency(self) -> Self:
        """Amounts of several currencies are not added up."""
        if self.measure is ReturnMeasure.REFUND_MINOR and self.currency is None:
            message = "returns: an amount needs its currency"
            raise ValueError(message)
        return self


class InvoiceMeasure(StrEnum):
    """What is measured of the invoices that are not paid in full."""

    COUNT = "count"
    OPEN_MINOR = "open_minor"


class Owes(Counted):
    """Invoices that are not paid in full: how many, or how much is open; `overdue_days` after the day they were due."""

    op: Literal["owes"]
    measure: InvoiceMeasure = InvoiceMeasure.COUNT
    currency: Currency | None = None
    overdue_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None

    @model_validator(mode="after")
    def check_currency(self) -> Self:
        """Amounts of several currencies are not added up."""
        if self.measure is InvoiceMeasure.OPEN_MINOR and self.currency is None:
            message = "owes: an amount needs its currency"
            raise ValueError(message)
        return self


class InDunning(Counted):
    """Unpaid invoices of which the company reminds, by the last step of each; without states, any but `none`.

    A window is about when that step was entered. An invoice that is paid is in no dunning.
    """

    op: Literal["dunning"]
    states: Annotated[tuple[DunningState, ...], Field(max_length=len(DunningState))] = ()
    min_reminders: int = Field(default=0, ge=0, le=100)


def _dunning(node: InDunning) -> str:
    which = f" that are {names(node.states)}" if node.states else ""
    often = f" with {node.min_reminders} reminders or more" if node.min_reminders else ""
    return counted(f"invoices in dunning{which}{often}", node)


def _owes(node: Owes) -> str:
    what = (
        "open invoices"
        if node.measure is InvoiceMeasure.COUNT
        else f"open invoices' rest in {node.currency} minor units"
    )
    late = f" overdue for {node.overdue_days} days or more" if node.overdue_days else ""
    return counted(what + late, node)


def _orders(node: Orders) -> str:
    what = (
        "orders"
        if node.measure is OrderMeasure.COUNT
        else f"orders' total in {node.currency} minor units"
    )
    state = "" if node.state is OrderState.ANY else f"{node.state.value} "
    paid = "paid " if node.paid_only else ""
    return counted(f"{state}{paid}{what}{of_campaigns(node.campaign_ids)}", node)


def _returns(node: Returns) -> str:
    what = (
        "returns"
        if node.measure is ReturnMeasure.COUNT
        else f"returns' refunds in {node.currency} minor units"
    )
    return counted(f"{what}{of_campaigns(node.campaign_ids)}", node)


WORDS: dict[type, Callable[[Any], str]] = {
    Orders: _orders,
    Returns: _returns,
    Owes: _owes,
    InDunning: _dunning,
    LastOrder: lambda node: f"last order within {node.within_days} days",
}
