"""The clock that follows up unpaid invoices: each day, page by page, each step once, told to who owes."""

from datetime import date
from uuid import UUID

from sqlmodel import col, select

from kantis_contracts.orders import DunningState
from kantis_contracts.values import Channel
from kantis_kit.calendar import date_in, is_working_day
from kantis_kit.money import in_words
from kantis_kit.tx import ReadTx, Tx
from orders_svc.billing.model import Invoice, is_owed
from orders_svc.claims.usecases import open_claims
from orders_svc.dunning.cases import Case, gather, house_of
from orders_svc.dunning.ladder import House, NoLaw, Proposal
from orders_svc.dunning.schemas import ProposalOut, Step
from orders_svc.dunning.usecases import Entered, enter
from orders_svc.money import date_in_words
from orders_svc.orders.events import notice, notices_requested
from orders_svc.payers.queries import message_ways
from orders_svc.payers.schemas import Way
from orders_svc.settings import OrdersSettings

TIMER = "dunning.page"
PAGE = 500
NOTICES = {Step.REMIND: "payment_reminder", Step.WARN: "collection_warning"}
"""What who owes is told; the hand-over is the agency's to tell."""


async def begin(tx: Tx) -> None:
    """Begin the day's round, where the clock reminds at all."""
    if tx.settings(OrdersSettings).dunning_is_on:
        await tx.schedule(TIMER, "round", tx.clock.now(), {"after": None})


async def run_page(tx: Tx, after: UUID | None) -> UUID | None:
    """Take what is due of the next unpaid invoices; return where the next page begins, or None at the end."""
    settings = tx.settings(OrdersSettings)
    today = date_in(tx.clock.now(), settings.company_country)
    invoices = await _overdue(tx, today, after, lock=True)
    house = house_of(settings)
    ways = await message_ways(tx, [one.person_id for one in invoices])
    for case in await gather(tx, invoices, today):
        if not is_working_day(today, case.situation.country):
            continue
        try:
            proposal = case.propose(house)
        except NoLaw:
            continue
        if proposal.on <= today:
            await _take(tx, case, proposal, today, ways[case.invoice.person_id])
    return invoices[-1].invoice_id if len(invoices) == PAGE else None


async def preview(tx: ReadTx, on: date, *, after: UUID | None, limit: int) -> list[ProposalOut]:
    """Return what the clock would do about unpaid invoices on a day; it changes nothing."""
    house = house_of(tx.settings(OrdersSettings))
    invoices = await _overdue(tx, on, after, limit=limit)
    return [_shown(case, house, on) for case in await gather(tx, invoices, on)]


async def _overdue(
    tx: ReadTx, today: date, after: UUID | None, *, limit: int = PAGE, lock: bool = False
) -> list[Invoice]:
    statement = (
        select(Invoice)
        .where(is_owed(), col(Invoice.due_on) < today)
        .order_by(col(Invoice.invoice_id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(Invoice.invoice_id) > after)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(
            populate_existing=True
        )
    return list(await tx.scalars(statement))


async def _take(tx: Tx, case: Case, proposal: Proposal, today: date, way: Way) -> None:
    if case.case is not None and case.case.state == DunningState.PAUSED:
        await enter(tx, case, Entered(Step.RESUME, today, why="the pause has ended"))
    pay_by = proposal.pay_by(today, case.situation.country)
    await enter(
        tx,
        case,
        Entered(
            proposal.step,
            today,
            fee_minor=proposal.fee_minor,
            compensation_minor=proposal.compensation_minor,
            interest_minor=case.interest_minor,
            pay_by=pay_by,
            why=proposal.why,
        ),
    )
    kind = NOTICES.get(proposal.step)
    if kind is not None and pay_by is not None:
        await tx.flush()  # what was claimed just now is part of what is asked for
        facts = await _facts(tx, case, pay_by)
        told = notice(kind, case.invoice.person_id, facts, Channel(way.value))
        tx.stage(notices_requested([told]))


async def _facts(tx: Tx, case: Case, pay_by: date) -> dict[str, str]:
    """Return what a reminder prints: what is owed and for what, by when, to which account."""
    invoice = case.invoice
    sums = {"fee": 0, "interest": 0}
    for one in (await open_claims(tx, [invoice.invoice_id])).get(invoice.invoice_id, []):
        sums["interest" if one.kind == "interest" else "fee"] += one.open_minor

    def words(minor: int) -> str:
        return in_words(minor, invoice.currency, invoice.language)

    facts = {
        "invoice_number": invoice.number,
        "principal": words(case.owed_minor),
        "amount": words(case.owed_minor + sum(sums.values())),
        "due_on": date_in_words(pay_by, invoice.language),
        "reference": str(invoice.reference),
        "bank_account": tx.settings(OrdersSettings).bank_account,
    }
    return facts | {name: words(minor) for name, minor in sums.items() if minor}


def _shown(case: Case, house: House, on: date) -> ProposalOut:
    invoice, one = case.invoice, case.situation
    try:
        proposal: Proposal | None = case.propose(house)
        why = proposal.why if proposal else ""
    except NoLaw as error:
        proposal, why = None, str(error)
    sent_on = max(on, proposal.on) if proposal else on
    return ProposalOut(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        person_id=invoice.person_id,
        country=one.country,
        debtor=one.debtor.value,
        due_on=one.due_on,
        owed_minor=case.owed_minor,
        currency=invoice.currency,
        step=proposal.step if proposal else None,
        on=proposal.on if proposal else None,
        fee_minor=proposal.fee_minor if proposal else 0,
        compensation_minor=proposal.compensation_minor if proposal else 0,
        interest_minor=case.interest_minor if proposal else 0,
        pay_by=proposal.pay_by(sent_on, one.country) if proposal else None,
        is_due=proposal is not None and proposal.on <= on and is_working_day(on, one.country),
        why=why,
    )
