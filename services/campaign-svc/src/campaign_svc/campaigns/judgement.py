"""What a pre-flight makes of its numbers: findings and a verdict. Pure: no I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from campaign_svc.campaigns.schemas import Finding, Level
from kantis_contracts.contacts import ReachCountedV1

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class CellPlan:
    """What a cell costs and sells."""

    share_pct: int
    cost_per_piece_minor: int
    product_id: UUID | None


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is of a product."""

    name: str
    available: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is judged beside the reach."""

    channel: str
    budget_minor: int | None
    not_after: datetime | None
    expected_response_pct: Decimal
    cells: Sequence[CellPlan]
    stock: Mapping[UUID, Stock]
    has_offer: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """From which share of the members on a finding turns yellow."""

    missing_names_pct: int
    duplicates_pct: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and what led to it."""

    verdict: Level
    findings: Sequence[Finding]
    cost_minor: int
    expected_responses: int


def _up(value: int, divisor: int) -> int:
    return -(-value // divisor)


def judge(plan: Plan, counted: ReachCountedV1, *, now: datetime, limits: Limits) -> Judgement:
    """Weigh a plan against what the register counted."""
    reachable = next((one.reachable for one in counted.items if one.channel == plan.channel), 0)
    cost = _up(
        sum(reachable * cell.share_pct * cell.cost_per_piece_minor for cell in plan.cells), _WHOLE
    )
    responses = _up(reachable * int(plan.expected_response_pct * _WHOLE), _WHOLE * _WHOLE)
    findings = [
        *_audience(plan, counted, reachable),
        *_quality(counted, limits),
        *_cells(plan),
        *_money(plan, cost),
        *_stock(plan, reachable),
    ]
    if plan.not_after is not None and plan.not_after <= now:
        findings.append(
            _red("campaign_over", "The campaign's last moment (not_after) has passed; move it.")
        )
    order = list(Level)
    verdict = max((one.level for one in findings), key=order.index, default=Level.GREEN)
    findings.sort(key=lambda one: -order.index(one.level))
    return Judgement(verdict, findings, cost, responses)


def _red(code: str, text: str, count: int = 0) -> Finding:
    return Finding(code=code, level=Level.RED, text=text, count=count)


def _audience(plan: Plan, counted: ReachCountedV1, reachable: int) -> list[Finding]:
    if not counted.is_known:
        return [_red("unknown_segment", "The register has no such segment; choose another one.")]
    if reachable:
        return []
    return [
        _red(
            "empty_audience",
            f"Nobody of the segment's {counted.members} members can be reached by {plan.channel}; "
            "see the reasons under reach.",
            counted.members,
        )
    ]


def _quality(counted: ReachCountedV1, limits: Limits) -> list[Finding]:
    found = []
    for code, count, limit, text in (
        (
            "missing_preferred_name",
            counted.missing_preferred_name,
            limits.missing_names_pct,
            "Members who have given no name to be called by; they get a neutral greeting",
        ),
        (
            "likely_duplicates",
            counted.likely_duplicates,
            limits.duplicates_pct,
            "Members who look like somebody else in the segment and may get the message twice",
        ),
    ):
        if count:
            level = Level.YELLOW if count * _WHOLE > limit * counted.members else Level.GREEN
            found.append(Finding(code=code, level=level, text=f"{text}: {count}.", count=count))
    return found


def _cells(plan: Plan) -> list[Finding]:
    total = sum(cell.share_pct for cell in plan.cells)
    if total != _WHOLE:
        return [
            _red("shares_not_100", f"The cells' shares sum to {total} %; make it 100 %.", total)
        ]
    return []


def _money(plan: Plan, cost: int) -> list[Finding]:
    if plan.budget_minor is None or cost <= plan.budget_minor:
        return []
    return [
        _red(
            "over_budget",
            f"The pieces cost {cost}, the budget is {plan.budget_minor} (minor units); raise the "
            "budget or make the audience smaller.",
            cost - plan.budget_minor,
        )
    ]


def _stock(plan: Plan, reachable: int) -> list[Finding]:
    if not plan.has_offer:
        return [Finding(code="no_offer", level=Level.GREEN, text="The campaign offers nothing.")]
    shares: dict[UUID, int] = {}
    for cell in plan.cells:
        if cell.product_id is not None:
            shares[cell.product_id] = shares.get(cell.product_id, 0) + cell.share_pct
    found = []
    for product_id, share_pct in shares.items():
        stock = plan.stock.get(product_id)
        if stock is None or not stock.is_active:
            name = stock.name if stock else str(product_id)
            found.append(_red("product_inactive", f"{name} is not for sale; offer something else."))
            continue
        hundredths = int(plan.expected_response_pct * _WHOLE)
        expected = _up(reachable * share_pct * hundredths, _WHOLE**3)
        if expected > stock.available:
            found.append(
                Finding(
                    code="stock_short",
                    level=Level.YELLOW,
                    text=f"{expected} orders of {stock.name} are expected, {stock.available} are "
                    "available.",
                    count=expected - stock.available,
                )
            )
    return found
