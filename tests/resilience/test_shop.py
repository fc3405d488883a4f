"""T40, T44: the last goods are sold once and invoices are numbered without a gap, whoever is killed meanwhile."""

from collections import Counter

import pytest
from mail_house import tell
from nursery import Nursery
from shop_house import Call, shop_house

from orders_svc.main import SPEC

STOCK = """
SELECT on_hand, reserved,
       (SELECT coalesce(sum(quantity), 0)::int FROM reservation WHERE state = 'held'),
       (SELECT count(*) FROM sales_order)::int,
       (SELECT count(*) FROM response)::int,
       (SELECT coalesce(sum(jsonb_array_length(convert_from(data, 'UTF8')::jsonb -> 'items')), 0)::int
        FROM outbox WHERE type LIKE 'orders.order.placed.%')
FROM product
"""
INVOICES = "SELECT number, order_id::text FROM invoice WHERE kind = 'invoice' ORDER BY invoice_id"
TOLD = """
SELECT count(*)::int, count(DISTINCT item ->> 'invoice_id')::int
FROM outbox, jsonb_array_elements(convert_from(data, 'UTF8')::jsonb -> 'items') AS item
WHERE type LIKE 'orders.invoice.issued.%'
"""
LEDGER = (
    "SELECT coalesce(sum(amount_minor), 0)::int, count(DISTINCT transaction_id)::int FROM posting"
)


@pytest.fixture(scope="module")
def nursery():
    """Provide what orders-svc is forked from."""
    opened = Nursery("orders")
    yield opened
    opened.close()


@pytest.fixture
async def shop(rig_for, nursery, tmp_path):
    """A shop on a database of the session's server."""
    async with shop_house(nursery, await rig_for(SPEC, start=False), tmp_path) as opened:
        yield opened


async def sell_out(shop, *, stock, orders, clients, kills):
    """Let more be ordered of one product than there is of it."""
    await shop.sell(stock)
    await shop.play(map(shop.order, range(orders)), clients=clients, kills=kills)

    answered = Counter(
        (one.status_code, one.json().get("type", "").rpartition(":")[2])
        for one in shop.answers.values()
    )
    placed = {one.json()["order_id"] for one in shop.answers.values() if one.is_success}
    assert {(201, ""): stock, (409, "sold-out"): orders - stock} == answered
    assert (stock, kills) == (len(placed), shop.orders.deaths)
    assert [(stock, stock, stock, stock, stock, stock)] == await shop.ask(STOCK)
    tell(f"units {stock}, orders {orders}, kills {kills}, broken {shop.broken}, confirmed {stock}")


async def draw_numbers(shop, *, draws, kills):
    """Let so many orders be shipped at once, each of which draws the number of its invoice."""
    await shop.sell(draws)
    await shop.play(map(shop.order, range(draws)), clients=8, kills=0)
    orders = [one.json()["order_id"] for one in shop.answers.values()]
    shop.answers.clear()
    await shop.play(
        [Call(f"/v1/orders/{one}/pick", {}, f"pick-{one}") for one in orders], clients=8, kills=0
    )
    shop.answers.clear()

    await shop.play(
        [Call(f"/v1/orders/{one}/ship", {}, f"ship-{one}") for one in orders],
        clients=draws,
        kills=kills,
    )

    assert {200} == {one.status_code for one in shop.answers.values()}
    invoices = await shop.ask(INVOICES)
    numbers = sorted(int(number.rpartition("-")[2]) for number, _ in invoices)
    assert 1 == len({number.rpartition("-")[0] for number, _ in invoices})
    assert list(range(1, draws + 1)) == numbers
    assert sorted(orders) == sorted(order_id for _, order_id in invoices)
    assert [(draws, draws)] == await shop.ask(TOLD)
    assert [(0, draws)] == await shop.ask(LEDGER)
    assert kills == shop.orders.deaths
    tell(f"draws {draws}, kills {kills}, broken {shop.broken}, gaps 0, twice 0")


@pytest.mark.timeout(300)
async def test_goods_that_all_want_are_sold_to_the_last_one_and_once_whoever_is_killed(shop):
    await sell_out(shop, stock=12, orders=40, clients=10, kills=1)


@pytest.mark.timeout(300)
async def test_invoices_are_numbered_without_a_gap_though_the_process_is_killed(shop):
    await draw_numbers(shop, draws=12, kills=1)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_three_hundred_units_a_thousand_orders_and_ten_kills(shop):
    await sell_out(shop, stock=300, orders=1_000, clients=20, kills=10)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_fifty_draws_at_once_and_ten_kills(shop):
    await draw_numbers(shop, draws=50, kills=10)
