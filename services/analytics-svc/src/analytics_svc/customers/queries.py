"""The report of a customer: sums per channel, and the days on which the customer answered, bought and paid."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlmodel import col

from analytics_svc.aliases import person_alias
from analytics_svc.campaigns.queries import rate
from analytics_svc.customers.errors import CustomerUnknown
from analytics_svc.customers.schemas import (
    Answer,
    Contacts,
    CustomerReport,
    Line,
    Payments,
    Purchases,
    RfmPoint,
)
from analytics_svc.facts.model import NO_CELL, CampaignCard, buyer_day, person_sum
from analytics_svc.worth.queries import list_worth
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx
from kantis_kit.web.schemas import Out

_MONTHS, _YEAR = 24, timedelta(days=365)
_SENT = ("planned", "sent", "delivered", "came_back", "opened", "clicked", "unsubscribed")
_BOUGHT = ("ordered", "revenue_minor", "paid", "paid_minor", "received_minor", "returned", "returned_minor")  # fmt: skip
_MOST_ANSWERS = 200
_AMOUNTS = ("revenue_minor", "paid_minor")
_PURCHASES = (*_BOUGHT, "cost_minor", "profit_minor", "buying_days")
_RFM = ("recency_days", "frequency", "monetary_minor")
_PAYING = ("invoiced", "settled", "settled_late", "reminders")
Row = RowMapping


async def get_customer(tx: ReadTx, person_id: UUID) -> CustomerReport:
    """Return what is known of a customer, in four reads by the person's id. Raises `CustomerUnknown`."""
    known = (await resolve(tx, person_alias, [person_id])).get(person_id, person_id)
    sums = (await tx.execute(select(person_sum).where(person_sum.c.person_id == known))).mappings()
    days = (
        await tx.execute(
            select(
                *buyer_day.c,
                col(CampaignCard.name),
                col(CampaignCard.channel),
                col(CampaignCard.offer_name),
            )
            .outerjoin(CampaignCard, col(CampaignCard.campaign_id) == buyer_day.c.campaign_id)
            .where(buyer_day.c.person_id == known)
            .order_by(buyer_day.c.day)
        )
    ).mappings()
    sent, bought = list(sums.all()), list(days.all())
    if not sent and not bought:
        raise CustomerUnknown(
            f"Nothing was sent to {person_id}, and nothing came from there; GET /v1/contacts has the ids of people"
        )
    return CustomerReport(
        person_id=known,
        contacts=_contacts(sent, bought),
        answers=_answers(bought),
        purchases=_purchases(sent, bought),
        payments=_payments(bought),
        rfm=_rfm(bought, tx.clock.now().date()),
        worth=await list_worth(tx, known),
    )


def _contacts(sent: Iterable[Row], bought: Iterable[Row]) -> list[Contacts]:
    found: dict[str, Contacts] = {}
    for row in sent:
        if not row["channel"]:
            continue
        one = found.setdefault(row["channel"], Contacts(channel=row["channel"], cost_minor={}))
        for name in _SENT:
            setattr(one, name, getattr(one, name) + row[name])
        if row["cost_minor"]:
            one.cost_minor[row["currency"]] = row["cost_minor"]
    for row in bought:
        one_of = found.get(row["channel"] or "")
        if one_of is not None:
            one_of.answered += row["responded"]
            one_of.ordered += row["ordered"]
    for one in found.values():
        one.answer_rate = rate(one.answered, one.delivered)
    return [found[channel] for channel in sorted(found)]


def _answers(bought: Iterable[Row]) -> list[Answer]:
    found: dict[UUID, Answer] = {}
    for row in bought:
        if not any(row[name] for name in ("responded", "ordered", *_AMOUNTS)):
            continue
        campaign_id = row["campaign_id"]
        one = found.setdefault(
            campaign_id,
            Answer(
                campaign_id=campaign_id if campaign_id != NO_CELL else None, name=row["name"] or "",
                channel=row["channel"] or "", offer_name=row["offer_name"] or "", responded=0, ordered=0,
                revenue_minor={}, paid_minor={}, last_on=row["day"],
            ),
        )  # fmt: skip
        one.last_on = row["day"]
        one.responded += row["responded"]
        one.ordered += row["ordered"]
        for name in _AMOUNTS:
            if row[name]:
                amounts = getattr(one, name)
                amounts[row["currency"]] = amounts.get(row["currency"], 0) + row[name]
    return sorted(found.values(), key=lambda one: one.last_on, reverse=True)[:_MOST_ANSWERS]


def _purchases(sent: Iterable[Row], bought: Iterable[Row]) -> list[Purchases]:
    found: dict[str, Purchases] = {}
    days: dict[str, set[date]] = defaultdict(set)
    for row in bought:
        if not any(row[name] for name in _BOUGHT):
            continue
        one = found.setdefault(row["currency"], Purchases(currency=row["currency"]))
        for name in _BOUGHT:
            setattr(one, name, getattr(one, name) + row[name])
        if row["ordered"]:
            days[row["currency"]].add(row["day"])
    for row in sent:
        if row["cost_minor"]:
            one = found.setdefault(row["currency"], Purchases(currency=row["currency"]))
            one.cost_minor += row["cost_minor"]
    for currency, one in found.items():
        on = days[currency]
        one.profit_minor = one.paid_minor - one.cost_minor
        one.first_on, one.last_on = min(on, default=None), max(on, default=None)
        one.buying_days = len(on)
    return [found[currency] for currency in sorted(found)]


def _payments(bought: Sequence[Row]) -> Payments:
    def total(name: str) -> int:
        return sum(row[name] for row in bought)

    settled = total("settled")
    return Payments(
        invoiced=total("invoiced"),
        settled=settled,
        settled_late=total("settled_late"),
        reminders=total("reminded"),
        days_to_pay=total("settled_days") / settled if settled else None,
    )


def _rfm(bought: Sequence[Row], today: date) -> list[RfmPoint]:
    orders: dict[str, list[tuple[date, int, int]]] = defaultdict(list)
    for row in bought:
        if row["ordered"]:
            orders[row["currency"]].append((row["day"], row["ordered"], row["revenue_minor"]))
    points = []
    month = today.replace(day=1)
    for _ in range(_MONTHS):
        end = min(today, (month + timedelta(days=31)).replace(day=1) - timedelta(days=1))
        for currency, found in sorted(orders.items()):
            before = [one for one in found if one[0] <= end]
            lately = [one for one in before if one[0] > end - _YEAR]
            if before:
                points.append(
                    RfmPoint(
                        month=month, currency=currency, recency_days=(end - before[-1][0]).days,
                        frequency=sum(one[1] for one in lately), monetary_minor=sum(one[2] for one in lately),
                    )
                )  # fmt: skip
        month = (month - timedelta(days=1)).replace(day=1)
    return points


def lines_of(report: CustomerReport) -> list[Line]:
    """Return the report as lines of a table, a number each."""

    def lines(section: str, what: str, of: Out, names: Iterable[str], currency: str = "") -> None:
        for name in names:
            value = getattr(of, name)
            amounts = value if isinstance(value, dict) else {currency: value}
            found.extend(
                Line(section=section, what=what, measure=name, currency=one, value=amount)
                for one, amount in sorted(amounts.items())
            )

    found: list[Line] = []
    for sent in report.contacts:
        lines("contacts", sent.channel, sent, (*_SENT, "answered", "ordered", "cost_minor"))
    for answer in report.answers:
        lines("answers", answer.name, answer, ("responded", "ordered", *_AMOUNTS))
    for bought in report.purchases:
        lines("purchases", "", bought, _PURCHASES, bought.currency)
    lines("payments", "", report.payments, _PAYING)
    for point in report.rfm:
        lines("rfm", point.month.isoformat(), point, _RFM, point.currency)
    return found
