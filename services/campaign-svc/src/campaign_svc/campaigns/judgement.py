"""What a pre-flight makes of its numbers: findings and a verdict. Pure: no I/O, no clock."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from uuid import UUID

from campaign_svc.campaigns.routing import CellPlan, Expected, Ration, expect, ration
from campaign_svc.campaigns.schemas import Finding, Level, WhenShort
from campaign_svc.thresholds.limits import DEFAULTS, Limit
from kantis_contracts.contacts import ReachCountedV1, Route
from kantis_contracts.messaging import SenderCheck, TemplateCheck, TemplateFinding
from kantis_contracts.values import Channel

_WHOLE = 100
_FIELD_EMPTY, _LANGUAGE_MISSING = "field-always-empty", "language-missing"
_WASH_MISSING = "wash_missing"
_FRESH = timedelta(days=7)
"""What the DNS said of a sender longer ago says nothing any more; messaging-svc asks every day."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is of a product."""

    name: str
    available: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is judged beside the reach."""

    budget_minor: int | None
    not_after: datetime | None
    expected_response_pct: Decimal
    cells: Sequence[CellPlan]
    stock: Mapping[UUID, Stock]
    has_offer: bool
    capacity: int | None = None
    when_short: WhenShort = WhenShort.REFUSE
    hold_out_pct: int = 0
    has_experiment: bool = False

    @property
    def channels(self) -> list[Channel]:
        """The channels of all cells, each once."""
        return list(dict.fromkeys(way.channel for cell in self.cells for way in cell.ways))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and what led to it."""

    verdict: Level
    findings: Sequence[Finding]
    cost_minor: int
    expected_responses: int
    pieces: int
    by_channel: Mapping[Channel, int]
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that the findings are made of."""

    plan: Plan
    counted: ReachCountedV1
    checks: Sequence[TemplateCheck]
    sender: SenderCheck | None
    limits: Mapping[str, Limit]
    wanted: Ration
    """Before budget and capacity."""
    kept: Ration
    now: datetime
    levels: Sequence[Level] = field(default=tuple(Level))

    def weighed(self, code: str, count: int, text: str) -> Iterator[Finding]:
        """Give what is counted of the members the level that the company's thresholds give its share."""
        if count:
            limit = self.limits.get(code, DEFAULTS[code])
            level = limit.level_of(count, self.counted.members)
            yield Finding(code=code, level=Level(level), text=f"{text}: {count}.", count=count)

    def counted_up(self, code: str, count: int, text: str) -> Finding:
        """Give what concerns so many pieces the level that the company's thresholds give that number."""
        level = self.limits.get(code, DEFAULTS[code]).level_above(count)
        return Finding(code=code, level=Level(level), text=text, count=count)


def judge(
    plan: Plan,
    counted: ReachCountedV1,
    checks: Sequence[TemplateCheck] = (),
    sender: SenderCheck | None = None,
    *,
    now: datetime,
    limits: Mapping[str, Limit] = DEFAULTS,
) -> Judgement:
    """Weigh a plan against what the register counted, and what the senders found in its templates and of their domain."""
    wanted = expect(_groups(plan, counted), plan.cells, hold_out_pct=plan.hold_out_pct)
    kept = wanted
    if plan.when_short is WhenShort.BY_VALUE:
        kept = ration(wanted.kept, capacity=plan.capacity, budget=plan.budget_minor)
    case = _Case(plan, counted, checks, sender, limits, wanted, kept, now)
    findings = [
        *_audience(case),
        *_quality(case),
        *_proof(case),
        *_cells(plan),
        *_templates(case),
        *_sender(case),
        *_shortage(case),
        *_stock(case),
    ]
    if plan.not_after is not None and plan.not_after <= now:
        findings.append(
            _red("campaign_over", "The campaign's last moment (not_after) has passed; move it.")
        )
    order = list(Level)
    findings.sort(key=lambda one: -order.index(one.level))
    by_channel: Counter[Channel] = Counter()
    for one in kept.kept:
        by_channel[one.way.channel] += one.pieces  # type: ignore[assignment]  # rounded below
    return Judgement(
        max((one.level for one in findings), key=order.index, default=Level.GREEN),
        findings,
        _cost(kept.kept),
        _responses(plan, kept.kept),
        round(sum(one.pieces for one in kept.kept)),
        {channel: round(pieces) for channel, pieces in by_channel.items()},
        {**wanted.left_out, **(kept.left_out if kept is not wanted else {})},
    )


def _groups(plan: Plan, counted: ReachCountedV1) -> list[tuple[Route, int]]:
    if counted.groups:
        return [(group.route, group.people) for group in counted.groups]
    # Without groups nothing is known but each channel's own number: the first one is what can be counted on.
    reach = {one.channel: one.reachable for one in counted.items}
    return [
        (Route(reached=(channel,)), reach[channel])
        for channel in plan.channels[:1]
        if reach.get(channel)
    ]


def _exact(value: float) -> int:
    return ceil(round(value, 6))


def _cost(pieces: Sequence[Expected]) -> int:
    return _exact(sum(one.pieces * one.way.cost_minor for one in pieces))


def _responses(plan: Plan, pieces: Sequence[Expected]) -> int:
    return _exact(sum(one.pieces for one in pieces) * float(plan.expected_response_pct) / _WHOLE)


def _red(code: str, text: str, count: int = 0) -> Finding:
    return Finding(code=code, level=Level.RED, text=text, count=count)


def _green(code: str, text: str, count: int = 0) -> Finding:
    return Finding(code=code, level=Level.GREEN, text=text, count=count)


def _audience(case: _Case) -> Iterator[Finding]:
    counted = case.counted
    if not counted.is_known:
        yield _red("unknown_segment", "The register has no such segment; choose another one.")
        return
    for one in counted.exclusions:
        which = f"segment {one.segment_id}" if one.segment_id else "people reminded of an invoice"
        yield _green(f"without_{one.reason}", f"Left out, {which}: {one.people}.", one.people)
    if not case.plan.cells:
        return
    if not case.wanted.kept:
        channels = ", ".join(case.plan.channels)
        yield _red(
            "empty_audience",
            f"Nobody of the segment's {counted.members} members can be reached by {channels}; "
            "see the reasons under reach.",
            counted.members,
        )
        return
    reached = sum(one.pieces for one in case.wanted.kept) + case.wanted.left_out.get("hold_out", 0)
    unreachable = max(0, counted.members - round(reached))
    yield from case.weighed("unreachable", unreachable, "Members whom none of the channels reaches")
    unwashed = max(
        (
            one.excluded.get(_WASH_MISSING, 0)
            for one in counted.items
            if one.channel in case.plan.channels
        ),
        default=0,
    )
    yield from case.weighed(
        "wash_old",
        unwashed,
        "Members left out because a reservation register was not washed lately",
    )


def _quality(case: _Case) -> Iterator[Finding]:
    counted = case.counted
    for code, count, text in (
        (
            "missing_preferred_name",
            counted.missing_preferred_name,
            "Members who have given no name to be called by; they get a neutral greeting",
        ),
        ("doubtful_names", counted.doubtful_names, "Members whose name does not look like one"),
        (
            "likely_duplicates",
            counted.likely_duplicates,
            "Members who look like somebody else in the segment and may get the message twice",
        ),
        ("poor_data", counted.low_quality_scores, "Members of whom little is known for certain"),
        ("tired", counted.tired, "Members who have got many messages within the last week"),
    ):
        yield from case.weighed(code, count, text)
    if not any(one.reason == "debtor" for one in counted.exclusions):
        yield from case.weighed(
            "debtors",
            counted.debtors,
            "Members who are reminded of an invoice and would be offered more",
        )


def _proof(case: _Case) -> Iterator[Finding]:
    """A consent without the text that was shown proves nothing: where none has one, nothing is sent."""
    consents, without = case.counted.consents, case.counted.without_text
    if consents and without == consents:
        yield _red(
            "no_permission_texts",
            f"None of the {consents} consents keeps the text that was shown, so none can be proved; "
            "import the texts with the consents, or ask again.",
            without,
        )
    else:
        yield from case.weighed("without_text", without, "Consents of which no shown text is kept")


def _cells(plan: Plan) -> Iterator[Finding]:
    total = sum(cell.share_pct for cell in plan.cells)
    if total != _WHOLE:
        yield _red("shares_not_100", f"The cells' shares sum to {total} %; make it 100 %.", total)
    orders = {tuple(way.channel for way in cell.ways) for cell in plan.cells}
    if plan.has_experiment and len(orders) > 1:
        yield _red(
            "experiment_channels_differ",
            "The cells of an experiment must have the same channels in the same order: who waits for the "
            "winner has been given a channel already.",
        )
    if plan.has_experiment and len(plan.cells) == 1:
        yield _red("experiment_of_one", "An experiment compares cells; add a second one.")


def _templates(case: _Case) -> Iterator[Finding]:
    for check in case.checks:
        for one in check.findings:
            where = f"{check.channel}{', ' + one.language if one.language else ''}"
            text = f"Template {check.template_id} ({where}): {one.message}; {one.mend}."
            if one.code == _LANGUAGE_MISSING:
                readers = case.counted.languages.get(str(one.language), 0)
                yield from case.weighed("language_missing", readers, text.removesuffix("."))
            elif one.severity == "error" or one.code == _FIELD_EMPTY:
                yield _blocking(one, text)
            else:
                yield _green(_code(one), text)


def _code(one: TemplateFinding) -> str:
    return f"template_{one.code.replace('-', '_')}"


def _blocking(one: TemplateFinding, text: str) -> Finding:
    return Finding(code=_code(one), level=Level.RED, text=text, field=one.field)


def _sender(case: _Case) -> Iterator[Finding]:
    """Say whether receivers will believe where the mails are from."""
    mails = round(sum(one.pieces for one in case.kept.kept if one.way.channel is Channel.EMAIL))
    if not mails:
        return
    sender = case.sender
    if sender is None or sender.checked_at < case.now - _FRESH:
        yield case.counted_up(
            "sender_unchecked",
            mails,
            "Nobody has asked the DNS within a week whether mails from our domain will be believed; "
            "see POST /v1/senders/{domain}/check.",
        )
        return
    for found in sender.findings:
        if found.verdict != "good":
            code = "sender_not_in_order" if found.verdict == "error" else "sender_doubtful"
            text = f"Mails from {sender.domain}, {found.check.upper()}: {found.detail}."
            yield case.counted_up(code, mails, text)


def _shortage(case: _Case) -> Iterator[Finding]:
    plan = case.plan
    if plan.when_short is WhenShort.BY_VALUE:
        for reason, people in case.kept.left_out.items():
            yield _green(
                f"left_out_{reason}",
                f"The {reason} does not suffice for everybody; left out, the least active and valuable first: "
                f"{people}.",
                people,
            )
        return
    cost = _cost(case.wanted.kept)
    if plan.budget_minor is not None and cost > plan.budget_minor:
        yield _red(
            "over_budget",
            f"The pieces cost {cost}, the budget is {plan.budget_minor} (minor units); raise the budget, make the "
            "audience smaller, or set when_short to by_value.",
            cost - plan.budget_minor,
        )
    pieces = round(sum(one.pieces for one in case.wanted.kept))
    if plan.capacity is not None and pieces > plan.capacity:
        yield _red(
            "over_capacity",
            f"There would be {pieces} pieces, the capacity is {plan.capacity}; raise it, make the audience smaller, "
            "or set when_short to by_value.",
            pieces - plan.capacity,
        )


def _stock(case: _Case) -> Iterator[Finding]:
    plan = case.plan
    if not plan.has_offer:
        yield _green("no_offer", "The campaign offers nothing.")
        return
    pieces: dict[UUID, list[Expected]] = {}
    for cell in plan.cells:
        for product_id in cell.takes:
            pieces.setdefault(product_id, [])
    for one in case.kept.kept:
        for product_id in one.cell.takes:
            pieces[product_id].append(one)
    offered = {cell.takes[0] for cell in plan.cells if cell.takes}
    for product_id, theirs in pieces.items():
        stock = plan.stock.get(product_id)
        if stock is None or (product_id in offered and not stock.is_active):
            name = stock.name if stock else str(product_id)
            yield _red("product_inactive", f"{name} is not for sale; offer something else.")
            continue
        expected = _responses(plan, theirs)
        if expected > stock.available:
            yield Finding(
                code="stock_short" if product_id in offered else "packaging_short",
                level=Level.YELLOW,
                text=f"{expected} orders that take {stock.name} are expected, {stock.available} are available.",
                count=expected - stock.available,
            )
