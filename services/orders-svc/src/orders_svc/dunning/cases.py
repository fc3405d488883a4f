"""Gather what the law asks of unpaid invoices: who owes, since when, what was done, what was paid."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_kit.tx import ReadTx
from orders_svc.billing.model import Invoice
from orders_svc.claims.model import Claim, ClaimKind
from orders_svc.credit.queries import debtor_of, terms_of
from orders_svc.dunning.ladder import House, NoLaw, Proposal, Situation, Taken, next_step
from orders_svc.dunning.model import CLAIMS, DunningCase, DunningStep
from orders_svc.dunning.schemas import Step
from orders_svc.instalments.queries import Standing, standings
from orders_svc.law.queries import entered_rates, rates_of
from orders_svc.law.tables import interest_minor
from orders_svc.payments.model import Payment, PaymentState
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons
from orders_svc.settings import OrdersSettings

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Case:
    """An unpaid invoice with all that its dunning depends on."""

    invoice: Invoice
    case: DunningCase | None
    situation: Situation
    owed_minor: int
    """What is asked for: all that is open, or what is overdue of a plan."""
    interest_minor: int
    """What has accrued since the due date and is not claimed yet."""
    plan: Standing | None
    held: str = ""
    """Why nobody is asked now; empty when somebody may be."""

    def propose(self, house: House) -> Proposal:
        """Return the next step. Raises `NoLaw` with the reason when there is none."""
        if self.held:
            raise NoLaw(self.held)
        return next_step(self.situation, house)


def house_of(settings: OrdersSettings) -> House:
    """Return how this installation uses the law."""
    return House(
        grace_days=settings.dunning_grace_days,
        warning_by_agency_from=settings.warning_by_agency_from,
        has_agency=bool(settings.agency_name),
        fees_agreed=settings.dunning_fees_agreed,
        unverified=settings.dunning_unverified_rates,
    )


async def gather(tx: ReadTx, invoices: Sequence[Invoice], on: date) -> list[Case]:
    """Return invoices with what their dunning depends on, as it stands on a day."""
    ids = [one.invoice_id for one in invoices]
    settings = tx.settings(OrdersSettings)
    known = {
        one.invoice_id: one
        for one in await tx.scalars(select(DunningCase).where(col(DunningCase.invoice_id).in_(ids)))
    }
    steps: dict[UUID, list[DunningStep]] = _grouped(
        await tx.scalars(
            select(DunningStep)
            .where(col(DunningStep.invoice_id).in_(ids))
            .order_by(col(DunningStep.invoice_id), col(DunningStep.version))
        ),
        lambda row: row.invoice_id,
    )
    claims: dict[UUID, list[Claim]] = _grouped(
        await tx.scalars(select(Claim).where(col(Claim.invoice_id).in_(ids))),
        lambda row: row.invoice_id,
    )
    paid: dict[UUID, list[Payment]] = _grouped(
        await tx.scalars(
            select(Payment)
            .where(
                col(Payment.invoice_id).in_(ids),
                col(Payment.state) == PaymentState.BOOKED.value,
                ~col(Payment.is_reversal),
            )
            .order_by(col(Payment.paid_on))
        ),
        lambda row: row.invoice_id,
    )
    people = [one.person_id for one in invoices]
    persons, terms = await find_persons(tx, people), await terms_of(tx, people)
    plans, entered = await standings(tx, invoices), await entered_rates(tx)
    cases = []
    for one in invoices:
        plan = plans.get(one.invoice_id)
        late = plan.overdue(on) if plan else None
        since, owed = late or (one.due_on, one.open_minor)
        country = country_of(persons.get(one.person_id), settings)
        debtor = debtor_of(terms.get(one.person_id))
        mine = claims.get(one.invoice_id, [])
        situation = Situation(
            country,
            debtor,
            one.currency,
            since,
            _taken(steps.get(one.invoice_id, ()), since),
            any(claim.kind == ClaimKind.COMPENSATION for claim in mine),
        )
        accrued = 0
        if settings.dunning_interest:
            rates = rates_of(entered, country, debtor)
            accrued = interest_minor(_balances(one, paid.get(one.invoice_id, ())), on, rates)
            accrued -= sum(claim.amount_minor for claim in mine if claim.kind == ClaimKind.INTEREST)
        case = known.get(one.invoice_id)
        held = _held(case, plan, owed, least=settings.dunning_least_minor, on=on)
        if steps.get(one.invoice_id, [])[-1:] and steps[one.invoice_id][-1].step == Step.END:
            held = "it was ended; a step that is entered by hand begins anew"
        cases.append(Case(one, case, situation, owed, max(accrued, 0), plan, held))
    return cases


def country_of(person: Person | None, settings: OrdersSettings) -> str:
    """Return by whose law somebody is asked for money: that of where they live."""
    if person is None:
        return settings.company_country
    return person.address_country or person.country or settings.company_country


def _held(
    case: DunningCase | None, plan: Standing | None, owed: int, *, least: int, on: date
) -> str:
    state = DunningState(case.state) if case else DunningState.NONE
    until = case.resume_on if case else None
    reasons = {
        "it is disputed, and a disputed claim is not asked for": state is DunningState.DISPUTED,
        "an agency asks for it": state is DunningState.WITH_AGENCY,
        f"it is paused{f' until {until}' if until else ''}": state is DunningState.PAUSED
        and (until is None or until > on),
        "it is paid in instalments, and these are kept": plan is not None
        and plan.overdue(on) is None,
        "it is paid": not owed,
        f"{owed} is less than what is asked for ({least})": owed < least,
    }
    return next((reason for reason, is_so in reasons.items() if is_so), "")


def _taken(steps: Sequence[DunningStep], since: date) -> tuple[Taken, ...]:
    """Return by which steps money was asked for since it was due; an end of the case begins anew."""
    taken: list[Taken] = []
    for one in steps:
        if one.step == Step.END:
            taken.clear()
        elif Step(one.step) in CLAIMS and one.taken_on > since:
            taken.append(Taken(Step(one.step), one.taken_on, one.fee_minor, one.pay_by))
    return tuple(taken)


def _balances(invoice: Invoice, paid: Sequence[Payment]) -> list[tuple[date, int]]:
    """Return how much was owed from which day on, beginning with the day after the due date."""
    first, owed = invoice.due_on + timedelta(days=1), invoice.total_minor
    # What credit notes took off was never owed.
    owed -= invoice.total_minor - invoice.paid_minor - invoice.open_minor
    days: dict[date, int] = {first: owed}
    for one in paid:
        owed -= one.principal_minor
        days[max(first, one.paid_on)] = owed
    return sorted(days.items())


def _grouped(rows: Iterable[RowT], key: Callable[[RowT], UUID | None]) -> dict[UUID, list[RowT]]:
    found: dict[UUID, list[RowT]] = {}
    for one in rows:
        if invoice_id := key(one):
            found.setdefault(invoice_id, []).append(one)
    return found
