"""What the law wants next of an unpaid invoice: which step, when at the earliest, and for how much. Pure; it reads no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kantis_kit.calendar import is_working_day
from orders_svc.dunning.schemas import Step
from orders_svc.law.tables import Debtor, Fee, Ladder, Rung, fee_of, ladder_of


@dataclass(frozen=True, slots=True)
class Taken:
    """A step by which money was asked for."""

    step: Step
    on: date
    fee_minor: int = 0
    pay_by: date | None = None


@dataclass(frozen=True, slots=True)
class House:
    """How this installation uses the law."""

    grace_days: int = 0
    """How long after a deadline money may be on its way: what was given to the bank in time is in time."""
    warning_by_agency_from: date | None = None
    has_agency: bool = True
    fees_agreed: bool = False
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of an unpaid invoice, or of the part of it that is overdue."""

    country: str
    debtor: Debtor
    currency: str
    due_on: date
    taken: tuple[Taken, ...] = ()
    has_compensation: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next step, the day on which the clock takes it, what it costs, and why."""

    step: Step
    on: date
    fee_minor: int
    compensation_minor: int
    pay_days: int
    why: str

    def pay_by(self, sent_on: date, country: str) -> date | None:
        """Return the deadline of a message that is sent on a day; one that ends on a holiday ends after it."""
        if not self.pay_days:
            return None
        return working_day(sent_on + timedelta(days=self.pay_days), country)


class NoLaw(ValueError):
    """There is no step that the tables could give; the message says why."""


def next_step(one: Situation, house: House) -> Proposal:
    """Return the next step of an unpaid invoice. Raises `NoLaw` with the reason when there is none."""
    ladder = _ladder(one)
    rung = _rung(one, ladder, house)
    fee, fee_why = _fee(one, ladder, rung, house)
    compensation = _compensation(one, ladder, house)
    day = one.due_on + timedelta(days=rung.wait)
    if one.taken:
        last = one.taken[-1]
        day = max(last.on + timedelta(days=rung.wait), (last.pay_by or last.on) + timedelta(days=1))
    if fee:
        day = max(day, one.due_on + timedelta(days=rung.fee_days))
    if rung.step == Step.HAND_OVER or one.taken:
        day = max(day, _after_deadline(one, house))
    why = (
        f"{one.country}, {one.debtor}, due {one.due_on}: {rung.step} {rung.wait} days after "
        f"{'the step before' if one.taken else 'the due date'}; {fee_why}"
    )
    if compensation:
        why += f"; compensation by the rate of {compensation.valid_from}"
    return Proposal(
        Step(rung.step),
        working_day(day, one.country),
        fee.minor if fee else 0,
        compensation.minor if compensation else 0,
        rung.pay_days,
        why,
    )


def first_lawful_day(
    one: Situation, step: Step, house: House, *, with_fee: bool
) -> tuple[date, str]:
    """Return from which day on a step is lawful, and by what rule. Raises `NoLaw` where it never is."""
    first, why = one.due_on + timedelta(days=1), "nobody is asked before the day after the due date"
    ladder = ladder_of(one.country, one.debtor, one.due_on)
    if ladder is None:
        return first, why
    if step is Step.HAND_OVER:
        _check_warned(one, ladder, house)
    asked = [taken for taken in one.taken if taken.step in (Step.REMIND, Step.WARN)]
    rungs = [rung for rung in ladder.rungs if rung.step == step]
    if not rungs:
        return first, why
    rung = rungs[min(sum(taken.step is step for taken in one.taken), len(rungs) - 1)]
    start = asked[-1].on if asked else one.due_on
    lawful = start + timedelta(days=rung.days)
    if lawful > first:
        first = lawful
        why = f"{rung.days} days after {'the step before' if asked else 'the due date'}"
    if step is Step.HAND_OVER and asked and asked[-1].pay_by and asked[-1].pay_by >= first:
        first, why = (
            asked[-1].pay_by + timedelta(days=1),
            "the deadline of the last message has passed",
        )
    if with_fee:
        fee, reason = _fee(one, ladder, rung, house)
        if fee is None:
            raise NoLaw(f"can only be {reason}")
        if one.due_on + timedelta(days=rung.fee_days) > first:
            first = one.due_on + timedelta(days=rung.fee_days)
            why = f"a fee is lawful {rung.fee_days} days after the due date"
    return first, why


def _check_warned(one: Situation, ladder: Ladder, house: House) -> None:
    agency = house.warning_by_agency_from
    warns = any(rung.step == Step.WARN for rung in ladder.rungs)
    if agency is not None and _after(one) >= agency:
        warns = False
    if warns and not any(taken.step is Step.WARN for taken in one.taken):
        raise NoLaw("needs the warning before collection first: enter the step warn")


def fee_at(one: Situation, step: Step, house: House) -> int:
    """Return the fee that a step may carry for this invoice."""
    ladder = ladder_of(one.country, one.debtor, one.due_on)
    rungs = [rung for rung in ladder.rungs if rung.step == step] if ladder else []
    if ladder is None or not rungs:
        return 0
    fee, _ = _fee(one, ladder, rungs[0], house)
    return fee.minor if fee else 0


def working_day(day: date, country: str) -> date:
    """Return a day, or the next one on which offices are open in a country."""
    while not is_working_day(day, country):
        day += timedelta(days=1)
    return day


def _ladder(one: Situation) -> Ladder:
    ladder = ladder_of(one.country, one.debtor, one.due_on)
    if ladder is None:
        raise NoLaw(f"no law is kept for {one.country} and the due date {one.due_on}")
    return ladder


def _rung(one: Situation, ladder: Ladder, house: House) -> Rung:
    left = _left(list(ladder.rungs), one.taken)
    agency = house.warning_by_agency_from
    if left and left[0].step == Step.WARN and agency is not None and _after(one) >= agency:
        left = left[1:]  # the law has the agency send it
    if not left:
        raise NoLaw("every step has been taken")
    if left[0].step == Step.HAND_OVER and not house.has_agency:
        raise NoLaw("no agency is set: hand it over by hand, or set `agency_name`")
    return left[0]


def _left(rungs: list[Rung], taken: Sequence[Taken]) -> list[Rung]:
    """Return the rungs above the steps that were taken; what was taken out of order counts as far as it leads."""
    for one in taken:
        places = [place for place, rung in enumerate(rungs) if rung.step == one.step]
        if places:
            rungs = rungs[places[0] + 1 :]
    return rungs


def _after(one: Situation) -> date:
    return one.taken[-1].on if one.taken else one.due_on


def _after_deadline(one: Situation, house: House) -> date:
    last = one.taken[-1] if one.taken else None
    until = (last.pay_by or last.on) if last else one.due_on
    return until + timedelta(days=1 + house.grace_days)


def _fee(one: Situation, ladder: Ladder, rung: Rung, house: House) -> tuple[Fee | None, str]:
    if not rung.fee:
        return None, "without a fee"
    charged = sum(bool(taken.fee_minor) for taken in one.taken)
    if rung.step != Step.HAND_OVER and charged >= ladder.max_fees:
        return None, f"without a fee: at most {ladder.max_fees} steps may carry one"
    if rung.fee in ladder.agreed and not house.fees_agreed:
        return None, "without a fee: it was not agreed when the debt arose"
    fee = fee_of(one.country, rung.fee, one.due_on, unverified=house.unverified)
    if fee is None:
        return None, "without a fee: none is kept for this due date"
    if fee.currency != one.currency:
        return None, f"without a fee: it is in {fee.currency}, the invoice in {one.currency}"
    return fee, f"fee of the due dates from {fee.valid_from}"


def _compensation(one: Situation, ladder: Ladder, house: House) -> Fee | None:
    """Return what a business owes once for the trouble, where the law gives it; fees that it paid before go off it."""
    if not ladder.compensation or one.has_compensation:
        return None
    found = fee_of(one.country, ladder.compensation, one.due_on, unverified=house.unverified)
    return found if found and found.currency == one.currency else None
