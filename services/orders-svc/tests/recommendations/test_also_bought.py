"""Others who bought this also bought: counted per person, told when it changes."""

from collections.abc import Sequence

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import RecommendationChangedV1
from orders_svc.recommendations.usecases import learn

SKUS = ("LAMP", "BULB", "VASE", "BOOK")


@pytest.fixture
async def shop(desk):
    """A desk with four products, and ten people who buy what they are told to."""
    people = [desk.person() for _ in range(10)]
    await desk.rig.publish(PersonChangedV1(items=tuple(people)))
    desk.ids = {sku: (await desk.product(99, sku=sku))["product_id"] for sku in SKUS}
    await desk.drain()
    desk.people = [str(one.person_id) for one in people]
    return desk


async def buy(shop, who: int, *skus: str) -> str:
    answer = await shop.client.post(
        "/v1/orders",
        json={"person_id": shop.people[who], "lines": [{"sku": sku} for sku in skus]},
    )
    assert 201 == answer.status_code, answer.text
    return answer.json()["order_id"]


async def count(shop) -> int:
    async with shop.tx() as tx:
        return await learn(tx)


async def also(shop, sku: str) -> list[tuple[str, float, int]]:
    found = await shop.get(f"/v1/products/{shop.ids[sku]}/also-bought")
    return [(one["sku"], one["lift"], one["buyers"]) for one in found["items"]]


async def test_what_is_bought_together_more_often_than_chance_is_recommended(shop):
    for who in range(4):
        await buy(shop, who, "LAMP", "BULB")
    for who in (4, 5):
        await buy(shop, who, "LAMP", "VASE")  # two people are chance
    for who in range(6, 10):
        await buy(shop, who, "BOOK")

    assert 10 == await count(shop)
    await shop.drain()

    # 4 of 10 bought both, 6 the lamp and 4 the bulb: 4 * 10 / (6 * 4).
    assert [("BULB", 1.6667, 4)] == await also(shop, "LAMP")
    assert [("LAMP", 1.6667, 4)] == await also(shop, "BULB")
    assert [] == await also(shop, "VASE")
    told = {one.product_id: one for one in shop.rig.items(RecommendationChangedV1)}
    assert {shop.ids["LAMP"], shop.ids["BULB"]} == {str(one) for one in told}


async def test_a_person_counts_once_however_often_and_in_however_many_orders_they_buy(shop):
    for who in range(3):
        await buy(shop, who, "LAMP")
        await buy(shop, who, "LAMP", "LAMP")
    await count(shop)
    for who in range(3):
        await buy(shop, who, "BULB")
    for who in range(3, 10):
        await buy(shop, who, "VASE")
    await count(shop)

    assert [("BULB", 3.3333, 3)] == await also(shop, "LAMP")
    assert [(3,)] == await shop.rows("SELECT DISTINCT buyers FROM bought_together")


async def test_an_order_that_was_called_off_in_time_does_not_count_and_news_are_told_once(shop):
    for who in range(3):
        await buy(shop, who, "LAMP", "BULB")
    for who in range(3, 6):
        await buy(shop, who, "VASE")
    off = await buy(shop, 7, "LAMP", "BOOK")
    await shop.client.post(f"/v1/orders/{off}/cancel")
    await count(shop)

    assert 0 == await count(shop)
    await shop.drain()

    assert [1, 1] == [one.version for one in shop.rig.items(RecommendationChangedV1)]
    assert [("BULB", 2.0, 3)] == await also(shop, "LAMP")


async def test_who_counts_in_parts_counts_the_same_as_who_counts_at_once(shop):
    baskets = [("LAMP", "BULB"), ("LAMP", "BULB", "VASE"), ("BULB",), ("BULB", "LAMP"), ("BOOK",)]
    for who, skus in enumerate(baskets):
        await buy(shop, who, *skus)
        await count(shop)
    pairs = """
        SELECT a.sku, b.sku, t.buyers FROM bought_together t
        JOIN product a ON a.product_id = t.product_id JOIN product b ON b.product_id = t.other_id ORDER BY 1, 2
    """

    expected = expected_pairs(baskets)

    assert expected == {(one, other): buyers for one, other, buyers in await shop.rows(pairs)}


def expected_pairs(baskets: Sequence[Sequence[str]]) -> dict[tuple[str, str], int]:
    """Count pairs the slow way."""
    found: dict[tuple[str, str], int] = {}
    for skus in baskets:
        for one in set(skus):
            for other in set(skus) - {one}:
                found[one, other] = found.get((one, other), 0) + 1
    return found
