"""What something costs, and its VAT, is that of the day, the currency and the country."""

from datetime import date
from decimal import Decimal

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import ProductChangedV1
from kantis_contracts.values import PostalAddress
from orders_svc.prices.usecases import follow_day
from orders_svc.vat.queries import rates_on


@pytest.fixture
async def shop(desk):
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    desk.person_id = str(person.person_id)
    return desk


async def place(shop, sku="LAMP", **body):
    answer = await shop.client.post(
        "/v1/orders", json={"person_id": shop.person_id, "lines": [{"sku": sku}], **body}
    )
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def test_a_price_holds_from_its_day_to_its_day_and_then_the_one_before(shop):
    lamp = await shop.product(9, sku="LAMP", price_minor=100)
    path = f"/v1/products/{lamp['product_id']}/prices"
    sale = {
        "currency": "NOK",
        "valid_from": "2026-03-10",
        "valid_until": "2026-03-12",
        "price_minor": 70,
    }
    made = await shop.client.post(path, json=sale)

    seen = {
        day: (await shop.get(path, on=day))["in_force"]
        for day in ("2026-03-09", "2026-03-10", "2026-03-12", "2026-03-13")
    }

    assert 201 == made.status_code, made.text
    assert [100, 70, 70, 100] == [one["NOK"] for one in seen.values()]
    assert 100 == (await place(shop))["total_minor"]


async def test_the_day_brings_the_price_to_the_catalogue_and_to_those_who_copy_it(shop):
    lamp = await shop.product(9, sku="LAMP", price_minor=100)
    path = f"/v1/products/{lamp['product_id']}"
    today = {"currency": "NOK", "valid_from": "2026-03-02", "price_minor": 80}

    await shop.client.post(f"{path}/prices", json=today)
    now = await shop.get(path)
    changed = await shop.client.patch(
        path, json={"price_minor": 90}, headers={"If-Match": f'"{now["version"]}"'}
    )
    async with shop.tx() as tx:
        again = await follow_day(tx)
    await shop.drain()

    assert 80 == now["price_minor"] == (await place(shop))["total_minor"]
    assert 80 == changed.json()["price_minor"], "the other price holds only where no later one does"
    assert 0 == again
    assert 80 in [one.price_minor for one in shop.rig.items(ProductChangedV1)]


async def test_an_order_in_another_currency_takes_the_price_of_that_currency(shop):
    lamp = await shop.product(9, sku="LAMP", price_minor=100)
    await shop.client.post(
        f"/v1/products/{lamp['product_id']}/prices",
        json={"currency": "SEK", "valid_from": "2026-01-01", "price_minor": 110},
    )

    order = await place(shop, currency="SEK")

    assert (110, "SEK") == (order["total_minor"], order["currency"])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"valid_from": "2026-03-09", "valid_until": "2026-03-08"}, "before valid_from"),
        ({"valid_from": "2025-01-01", "valid_until": "2025-12-31"}, "has passed"),
        ({"valid_from": "2026-03-09", "price_minor": -1}, "price_minor"),
        ({"valid_from": "2026-03-09", "currency": "kr"}, "currency"),
    ],
)
async def test_a_price_that_cannot_be_is_refused(shop, body, where):
    lamp = await shop.product(9, sku="LAMP")

    answer = await shop.client.post(
        f"/v1/products/{lamp['product_id']}/prices",
        json={"currency": "NOK", "price_minor": 1, **body},
    )

    assert 422 == answer.status_code
    assert where in answer.text


async def test_vat_is_that_of_the_country_to_which_the_parcel_goes(shop):
    finn = shop.person(
        address=PostalAddress(street="Katu 1", postal_code="00100", city="Helsinki", country="FI")
    )
    await shop.rig.publish(PersonChangedV1(items=(finn,)))
    await shop.drain()
    for sku, vat_class in (("LAMP", "standard"), ("CAKE", "food"), ("BOOK", "books")):
        await shop.product(9, sku=sku, vat_class=vat_class, price_minor=10_000)
    await shop.product(9, sku="ODD", vat_pct=7.25)

    async def rates(**body):
        lines = [{"sku": sku} for sku in ("LAMP", "CAKE", "BOOK", "ODD")]
        return [line["vat_pct"] for line in (await place(shop, lines=lines, **body))["lines"]]

    at_home = await rates()
    in_sweden = await rates(ship_to={"country": "SE"})
    in_spain = await rates(ship_to={"country": "ES"})
    in_finland = await rates(person_id=str(finn.person_id))

    assert [25, 15, 0, 7.25] == at_home == in_spain
    assert [25, 12, 6, 7.25] == in_sweden, "food is at 6 per cent from April on"
    assert [25.5, 13.5, 13.5, 7.25] == in_finland


LAW = [
    ("FI", "standard", date(2024, 8, 31), "24"),
    ("FI", "standard", date(2024, 9, 1), "25.5"),
    ("FI", "food", date(2025, 12, 31), "14"),
    ("FI", "food", date(2026, 1, 1), "13.5"),
    ("FI", "periodicals", date(2026, 1, 1), "10"),
    ("SE", "food", date(2026, 3, 31), "12"),
    ("SE", "food", date(2026, 4, 1), "6"),
    ("SE", "food", date(2028, 1, 1), "12"),
    ("NO", "travel", date(2026, 1, 1), "12"),
    ("DK", "food", date(2026, 1, 1), "25"),
]


async def test_rates_of_the_law_by_country_class_and_day(desk):
    async with desk.tx() as tx:
        found = [
            (await rates_on(tx, day, [country], home="NO")).of(vat_class, country)
            for country, vat_class, day, _ in LAW
        ]

    assert [Decimal(rate) for *_, rate in LAW] == found


async def test_a_rate_to_come_can_be_entered_and_one_that_holds_cannot_be_changed(shop):
    path = "/v1/products/vat-rates"
    coming = {"country": "NO", "vat_class": "food", "valid_from": "2027-01-01", "vat_pct": 14.75}

    entered = await shop.client.post(path, json=coming)
    corrected = await shop.client.post(path, json={**coming, "vat_pct": 14.5})
    held = await shop.client.post(path, json={**coming, "valid_from": "2026-03-02"})
    fixed = await shop.client.post(path, json={**coming, "vat_class": "fixed"})
    finer = await shop.client.post(path, json={**coming, "vat_pct": 14.755})
    listed = await shop.get(path, country="NO")

    assert [201, 201, 409, 422, 422] == [
        one.status_code for one in (entered, corrected, held, fixed, finer)
    ]
    assert "urn:kantis:problem:vat-rate-held" == held.json()["type"]
    assert 14.5 in [one["vat_pct"] for one in listed["items"]]


async def test_a_new_rate_at_home_reaches_the_catalogue_on_its_day(shop):
    await shop.product(9, sku="CAKE", vat_class="food")
    await shop.rows("INSERT INTO vat_rate VALUES ('NO', 'food', '2026-03-02', 11.11)")

    async with shop.tx() as tx:
        changed = await follow_day(tx)

    (product,) = (await shop.get("/v1/products"))["items"]
    assert (1, 11.11) == (changed, product["vat_pct"])
