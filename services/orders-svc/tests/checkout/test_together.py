"""Plain orders share a look and a statement: the same as the long way leaves behind, and never more than there is."""

import asyncio

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import NoticeRequestedV1, OrderPlacedV1, ProductChangedV1
from kantis_kit.ids import new_id
from orders_svc.checkout import fast, together
from orders_svc.checkout.fast import fast_orders
from orders_svc.main import SPEC

STOCK = "SELECT sku, on_hand, reserved, awaited FROM product ORDER BY sku"
TABLES = ("sales_order", "order_line", "reservation", "basket")
OWN = {"order_id", "number", "placed_at", "external_id"}
"""What each order has of its own."""


class Groups(list):
    """The groups that went the short way: for each post, whether it was placed there."""

    @property
    def placed(self):
        return sum(sum(group) for group in self)


@pytest.fixture
def groups(monkeypatch):
    seen = Groups()

    async def watched(tx, posts):
        try:
            answers = await together.place_together(tx, posts)
        except together.GoneMeanwhile:
            seen.left_behind = await seen.look()
            raise
        seen.append([answer is not None for answer in answers])
        return answers

    monkeypatch.setattr(fast, "place_together", watched)
    return seen


@pytest.fixture
async def shop(groups, desk):
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    desk.person_id = str(person.person_id)
    desk.groups = groups
    return desk


async def order(shop, *lines, headers=None, **body):
    return await shop.client.post(
        "/v1/orders",
        json={
            "person_id": shop.person_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            **body,
        },
        headers=headers,
    )


async def columns(shop, table, order_id):
    pool = await shop.rig.service.database.pool()
    rows = await pool.fetch(f"SELECT * FROM {table} WHERE order_id = $1", order_id)
    return [{name: value for name, value in row.items() if name not in OWN} for row in rows]


async def test_an_order_is_left_behind_and_answered_as_by_the_long_way(shop):
    lamp = await shop.product(90, sku="LAMP", price_minor=10_000, vat_pct=25.5)
    await shop.product(90, sku="VASE", price_minor=77)
    prices = {"currency": "NOK", "price_minor": 8_000, "valid_from": "2026-01-01"}
    await shop.client.post(f"/v1/products/{lamp['product_id']}/prices", json=prices)
    wanted = [("LAMP", 2), ("VASE", 1), ("LAMP", 1)]
    more = {"ship_to": {"street": "Hytta 1", "country": "SE"}, "substitutes": "ask"}

    short = (await order(shop, *wanted, **more, external_id="a")).json()
    await shop.client.put(f"/v1/credit/customers/{shop.person_id}", json={})  # no longer plain
    long = (await order(shop, *wanted, **more, external_id="b")).json()
    await shop.drain()

    assert [[True], [False]] == shop.groups
    for table in TABLES:
        mine, other = [await columns(shop, table, one["order_id"]) for one in (short, long)]
        assert mine == other, table
    assert {n: v for n, v in short.items() if n not in OWN} == {
        n: v for n, v in long.items() if n not in OWN
    }
    assert 3 * 8_000 + 77 == short["total_minor"]
    first, second = shop.rig.items(OrderPlacedV1)
    assert [short["order_id"], long["order_id"]] == [str(first.order_id), str(second.order_id)]
    assert first.lines == second.lines
    one, two = shop.rig.items(NoticeRequestedV1)
    assert (one.kind, one.facts["lines"]) == (two.kind, two.facts["lines"])
    cards = [card for card in shop.rig.items(ProductChangedV1) if card.sku == "LAMP"]
    versions = [card.version for card in cards]
    assert sorted(set(versions)) == versions
    assert 84 == cards[-1].available
    by_version = {card.available: card for card in cards}
    same = {"version": 0, "available": 0}
    assert by_version[87].model_copy(update=same) == by_version[84].model_copy(update=same)


async def test_who_comes_together_shares_a_statement_and_gets_no_more_than_there_is(shop):
    await shop.product(7, sku="LAMP")
    await shop.product(50, sku="VASE")

    answers = await asyncio.gather(
        *(order(shop, ("LAMP", 1), ("VASE", 2)) for _ in range(12)),
    )
    await shop.drain()

    codes = sorted(answer.status_code for answer in answers)
    assert [201] * 7 + [409] * 5 == codes
    assert [("LAMP", 7, 7, 0), ("VASE", 50, 14, 0)] == await shop.rows(STOCK)
    assert 7 == shop.groups.placed
    assert len(shop.groups) < 12
    numbers = [answer.json()["number"] for answer in answers if answer.status_code == 201]
    assert 7 == len(set(numbers)) == len(shop.rig.items(OrderPlacedV1))
    lowest = min(card.available for card in shop.rig.items(ProductChangedV1) if card.sku == "LAMP")
    assert 0 == lowest


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("reserved = on_hand", 409),
        ("awaited = on_hand", 409),
        ("is_active = false", 409),
        ("is_part = true", 201),  # bundles have to be told of it: the long way does
    ],
)
async def test_what_changes_between_the_look_and_the_statement_leaves_nothing_of_the_group(
    shop, monkeypatch, change, status
):
    await shop.product(5, sku="LAMP")
    await shop.product(5, sku="VASE")
    look = together._look

    async def meanwhile(tx, posts):
        seen = await look(tx, posts)
        await shop.rows(f"UPDATE product SET {change} WHERE sku = 'LAMP'")
        return seen

    async def left_behind():
        found = [await shop.rows(f"SELECT FROM {table}") for table in (*TABLES, "idempotency")]
        return [*found, await shop.rows("SELECT FROM product WHERE sku = 'VASE' AND reserved > 0")]

    monkeypatch.setattr(together, "_look", meanwhile)
    shop.groups.look = left_behind

    answer = await order(shop, ("VASE", 1), ("LAMP", 1), headers={"Idempotency-Key": "k"})

    assert status == answer.status_code, answer.text
    assert [[]] * 6 == shop.groups.left_behind


async def test_a_key_sent_twice_at_once_is_one_order_and_with_another_body_it_is_refused(shop):
    await shop.product(9, sku="LAMP")
    key = {"Idempotency-Key": "shop-1"}

    answers = await asyncio.gather(*(order(shop, ("LAMP", 1), headers=key) for _ in range(4)))
    later = await order(shop, ("LAMP", 1), headers=key)
    other = await order(shop, ("LAMP", 2), headers=key)

    assert {201} == {one.status_code for one in (*answers, later)}
    assert 1 == len({one.content for one in (*answers, later)})
    replayed = [one for one in (*answers, later) if "idempotency-replayed" in one.headers]
    assert 4 == len(replayed)
    for name in ("location", "etag", "content-type"):
        assert 1 == len({one.headers[name] for one in (*answers, later)})
    assert (422, "urn:kantis:problem:idempotency-mismatch") == (
        other.status_code,
        other.json()["type"],
    )
    assert [("LAMP", 9, 1, 0)] == await shop.rows(STOCK)
    assert 1 == shop.groups.placed


async def test_what_is_not_plain_goes_the_long_way(shop):
    await shop.product(9, sku="LAMP")
    await shop.product(9, sku="EURO", currency="EUR")
    parts = [{"sku": "VASE"}]
    await shop.product(9, sku="VASE")
    await shop.product(0, sku="SET", kind="bundle", parts=parts)
    answers = [
        await order(shop, ("SET", 1)),
        await order(shop, ("VASE", 1)),
        await order(shop, ("LAMP", 1), ("EURO", 1)),
        await order(shop, ("LAMP", 1), currency="EUR"),
        await order(shop, ("LAMP", 10), if_short="partial"),
        await order(shop, ("NONE", 1)),
        await order(shop, ("EURO", 1), person_id=str(new_id())),
    ]

    assert [201, 201, 422, 409, 201, 422, 404] == [one.status_code for one in answers]
    assert 0 == shop.groups.placed
    assert 7 == len(shop.groups)


async def test_what_the_short_way_cannot_read_is_answered_by_the_api(shop):
    await shop.product(9, sku="LAMP")
    body = {"person_id": shop.person_id, "lines": [{"sku": "LAMP"}]}
    path = "/v1/orders"
    async with shop.rig.client(scopes=["orders:read"]) as reader:
        answers = [
            await reader.post(path, json=body),
            await shop.client.post(path, json=body, headers={"Authorization": "Bearer x"}),
            await shop.client.post(path, content="{", headers={"Content-Type": "application/json"}),
            await shop.client.post(path, json={**body, "lines": []}),
            await shop.client.post(path, json=body, headers={"Idempotency-Key": b"\xf8"}),
            await shop.client.post(path, json={**body, "lines": [{"sku": "L" * 40}] * 400}),
        ]

    assert [403, 401, 422, 422, 422, 422] == [one.status_code for one in answers]
    assert [] == shop.groups


async def test_where_everybody_has_a_limit_there_is_no_short_way(rig_for):
    rig = await rig_for(SPEC, start=False, settings={"orders": {"credit_limit_minor": 5}})
    app = object()

    assert app is fast_orders(rig.service, app)
