"""What customers are expected to be worth, beside what is published of the CDNOW customers.

cdnow.csv: 2,357 customers who first bought in the first quarter of 1997, watched until the end of September; grouped from the
data that P. Fader and B. Hardie publish on brucehardie.com (on how many later days they bought, the last of them and the end,
in days from the first, and the mean of the later days in cents).
"""

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from analytics_svc.main import SPEC
from analytics_svc.worth.models import (
    Buying,
    CannotFit,
    Spending,
    fit_buying,
    fit_spending,
)
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_kit.ids import new_id

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
"""Fader, Hardie and Lee (2005), table 2."""
PUBLISHED_MONEY = {"p": 6.25, "q": 3.74, "v": 1_544}
"""Fader and Hardie, The Gamma-Gamma Model of Monetary Value (2013); v there is 15.44 dollars."""


def cdnow():
    with (Path(__file__).parent / "cdnow.csv").open(encoding="utf-8") as file:
        return [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]


def columns(rows, *names):
    return [[row[name] / (7 if name.endswith("_days") else 1) for row in rows] for name in names]


@pytest.fixture(scope="module")
def fitted():
    rows = cdnow()
    buying = fit_buying(*columns(rows, "again", "last_days", "age_days", "customers"))
    return buying, fit_spending(*columns(rows, "again", "mean_cents", "customers"))


def test_the_models_give_the_published_figures(fitted):
    buying, spending = fitted

    assert PUBLISHED == {name: round(getattr(buying, name), 3) for name in PUBLISHED}
    found = round(spending.p, 2), round(spending.q, 2), spending.v
    assert (PUBLISHED_MONEY["p"], PUBLISHED_MONEY["q"]) == found[:2]
    assert PUBLISHED_MONEY["v"] == pytest.approx(found[2], rel=1e-3)


def test_what_a_customer_will_buy_is_the_published_figure(fitted):
    buying, _ = fitted

    # Fader, Hardie and Lee, "Implementing the BG/NBD Model in Excel" (2005): customer 0001 in the 39 weeks after.
    assert 1.226 == round(buying.expected(2, 30.43, 38.86, 39), 3)
    assert 1.0 == buying.alive(0, 0, 38.86)
    assert buying.alive(6, 5, 38) < buying.alive(6, 37, 38) < 1


def test_who_bought_once_is_expected_to_spend_what_all_do_and_others_ever_more_as_they_did():
    spending = Spending(6.25, 3.74, 1_544)

    everybody = spending.expected(0, 0)
    assert everybody == pytest.approx(6.25 * 1_544 / 2.74)
    assert everybody < spending.expected(1, 9_000) < spending.expected(20, 9_000) < 9_000


def test_at_the_point_where_the_formula_has_a_gap_it_is_smooth():
    beside, at = Buying(0.2, 4, 0.99999, 2.4), Buying(0.2, 4, 1.0, 2.4)

    assert beside.expected(2, 30, 38, 39) == pytest.approx(at.expected(2, 30, 38, 39), rel=1e-3)


@pytest.mark.parametrize(
    "customers",
    [
        ([], [], [], []),
        ([0], [0], [30], [1_000_000]),
        ([1], [5], [10], [29]),
    ],
    ids=["nobody", "nobody again", "too few"],
)
def test_customers_who_do_not_tell_enough_are_refused_with_the_reason(customers):
    with pytest.raises(CannotFit, match=r"\w"):
        fit_buying(*customers)


def test_money_needs_people_who_came_again():
    with pytest.raises(CannotFit, match="it takes 30"):
        fit_spending([0, 1, 2], [0, 500, -3], [1_000, 20, 90])


def orders_of(row, now):
    """Return the days and amounts of one such customer: the later days lie anywhere before the last of them."""
    first = now - timedelta(days=row["age_days"])
    yield first, 1_000
    for number in range(row["again"]):
        is_last = number == row["again"] - 1
        yield first + timedelta(days=row["last_days"] if is_last else number + 1), row["mean_cents"]


async def test_orders_become_the_models_and_a_customers_report_says_what_to_expect(rig_for, fitted):
    buying, spending = fitted
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    orders, loyal = [], None
    for row in cdnow():
        for _ in range(row["customers"]):
            person = new_id()
            if row["again"] == 7:
                loyal = person, row
            orders += [
                OrderCard(
                    order_id=new_id(), version=1, number="1", person_id=person, total_minor=amount, currency="USD",
                    changed_at=at,
                )
                for at, amount in orders_of(row, now)
            ]  # fmt: skip
    for start in range(0, len(orders), 500):
        await rig.publish(OrderPlacedV1(items=tuple(orders[start : start + 500])))
    await rig.publish(
        OrderPlacedV1(
            items=(orders[0].model_copy(update={"order_id": new_id(), "currency": "NOK"}),)
        )
    )
    await rig.drain()

    async with rig.client() as client:
        before = (await client.get(f"/v1/reports/customers/{loyal[0]}")).json()["worth"]
        done = (await client.post("/v1/reports/worth/fit")).json()
        (model,) = (await client.get("/v1/reports/worth")).json()
        (worth,) = (await client.get(f"/v1/reports/customers/{loyal[0]}")).json()["worth"]

    assert [] == before
    assert [model] == done["models"]
    assert ["NOK"] == [one["currency"] for one in done["not_fitted"]]
    assert (2_357, 946) == (model["buyers"], model["repeaters"])
    assert PUBLISHED == {name: round(model[name], 3) for name in PUBLISHED}
    again, last, age = 7, loyal[1]["last_days"] / 7, loyal[1]["age_days"] / 7
    assert buying.expected(again, last, age, 52) == pytest.approx(worth["buying_days"], rel=1e-3)
    expected = spending.expected(again, loyal[1]["mean_cents"])
    assert expected == pytest.approx(worth["day_minor"], rel=1e-3)
    assert worth["buying_days"] * worth["day_minor"] == pytest.approx(worth["value_minor"], abs=1)
