"""Value and lifecycle of people, kept up to date by orders, by time and by the company's bands."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from contacts_svc.facts.usecases import OrderStep, keep_orders
from contacts_svc.main import SPEC
from contacts_svc.touched import Family
from contacts_svc.value import queries, usecases
from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import OrderCancelledV1, OrderCard, OrderPaidV1, OrderPlacedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write


async def make(client, name="kari"):
    body = {"full_name": name, "email": f"{name}@example.com"}
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def order(rig, person_id, *, days=0, total=10_000, currency="NOK"):
    return OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=person_id,
        total_minor=total,
        currency=currency,
        changed_at=rig.clock.now() - timedelta(days=days),
    )


async def place(rig, *orders):
    await rig.publish(OrderPlacedV1(items=orders))
    await rig.drain()


async def pass_time(rig, days):
    rig.clock.advance(timedelta(days=days))
    async with write(rig.service.scope) as tx:
        await usecases.follow_time(tx)


async def test_an_order_changes_the_value_and_the_lifecycle_in_its_own_transaction(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = await make(client)
        before = (await client.get(f"/v1/contacts/{kari}/value")).json()
    first = order(rig, kari, days=3)

    await place(rig, first)
    async with rig.client() as client:
        new = (await client.get(f"/v1/contacts/{kari}/value")).json()
    await place(rig, order(rig, kari, total=600_000))
    await rig.publish(OrderPaidV1(items=(first.model_copy(update={"version": 2}),)))
    await rig.drain()
    async with rig.client() as client:
        after = (await client.get(f"/v1/contacts/{kari}/value")).json()
        steps = (await client.get(f"/v1/contacts/{kari}/lifecycle")).json()["steps"]
        history = (await client.get(f"/v1/contacts/{kari}/changes")).json()
        classes = (await client.get("/v1/value/classes")).json()

    assert (0, None, "prospect") == (before["orders"], before["rfm_class"], before["lifecycle"])
    assert (1, 5, 1, 1, "new", "new") == tuple(
        new[name]
        for name in ("orders", "recency", "frequency", "monetary", "rfm_class", "lifecycle")
    )
    assert (2, 610_000, 4, "big_spender", "B", "active") == tuple(
        after[name]
        for name in ("orders", "spent_minor", "monetary", "rfm_class", "tier", "lifecycle")
    )
    assert [("new", "active", "order"), ("prospect", "new", "order")] == [
        (one["before"], one["after"], one["reason"]) for one in steps
    ]
    assert ["new", "active"] == history[0]["changes"]["lifecycle"]
    assert {"prospect", "new", "active"} == {card.lifecycle for card in rig.items(PersonChangedV1)}
    assert [("big_spender", "B", "NOK", 1, 2, 610_000)] == [
        tuple(
            one[name]
            for name in ("rfm_class", "tier", "currency", "people", "orders", "spent_minor")
        )
        for one in classes
    ]


async def test_time_alone_lowers_the_recency_and_lets_people_lapse(rig_for):
    rig = await rig_for(replace(SPEC, loops=()))  # who follows the touched would take them
    async with rig.client() as client:
        kari, ola = await make(client), await make(client, "ola")
    await place(rig, order(rig, kari), order(rig, ola, days=300))
    seen = []

    for days in (29, 1, 60, 90, 185):
        await pass_time(rig, days)
        async with rig.client() as client:
            value = (await client.get(f"/v1/contacts/{kari}/value")).json()
        seen.append((value["recency"], value["lifecycle"]))

    assert [(5, "new"), (4, "new"), (3, "active"), (2, "passivating"), (1, "lapsed")] == seen
    async with rig.client() as client:
        other = (await client.get(f"/v1/contacts/{ola}/lifecycle")).json()
    assert ["passivating", "lapsed"] == [one["after"] for one in reversed(other["steps"])]
    assert value["next_at"] is None
    pool = await rig.service.database.pool()
    assert await pool.fetchval(
        "SELECT count(*) FROM touched_person WHERE families & $1 > 0", int(Family.VALUE)
    )


async def test_new_bands_change_everybodys_value(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        people = [await make(client, f"p{n}") for n in range(3)]
    await place(rig, *(order(rig, one, total=10_000) for one in people))

    async with rig.client() as client:
        bands = await client.get("/v1/value/bands")
        wanted = {"monetary_minor": {"*": [1_000, 2_000, 3_000, 4_000]}}
        blind = await client.put("/v1/value/bands", json=wanted)
        done = await client.put(
            "/v1/value/bands", json=wanted, headers={"If-Match": bands.headers["etag"]}
        )
        stale = await client.put(
            "/v1/value/bands", json=wanted, headers={"If-Match": bands.headers["etag"]}
        )
        wrong = await client.put(
            "/v1/value/bands", json={"recency_days": [4, 3, 2, 1]}, headers={"If-Match": "*"}
        )
    await rig.drain()
    async with rig.client() as client:
        values = [(await client.get(f"/v1/contacts/{one}/value")).json() for one in people]
        after = (await client.get("/v1/value/bands")).json()

    assert [422, 200, 412, 422] == [one.status_code for one in (blind, done, stale, wrong)]
    assert (1, 3) == (done.json()["version"], done.json()["waiting"])
    assert [(5, 1)] * 3 == [(one["monetary"], one["rules_version"]) for one in values]
    assert 0 == after["waiting"]


async def test_what_is_set_by_hand_stands_while_it_is_pinned(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()

    async with rig.client(caller="anna") as client:
        kari = await make(client)
        where = f"/v1/contacts/{kari}/lifecycle"
        pin = {"lifecycle": "lapsed", "until": (now + timedelta(days=10)).isoformat()}
        early = await client.put(where, json={**pin, "until": now.isoformat()})
        pinned = await client.put(where, json={**pin, "reason": "moved abroad"})
    await place(rig, order(rig, kari))
    async with rig.client() as client:
        kept = (await client.get(f"/v1/contacts/{kari}/value")).json()
    await pass_time(rig, 11)
    async with rig.client(caller="anna") as client:
        over = (await client.get(f"/v1/contacts/{kari}/value")).json()
        again = await client.put(where, json={**pin, "until": "2030-01-01T00:00:00Z"})
        loose = await client.delete(where)
        twice = await client.delete(where)
        last = (await client.get(where)).json()

    assert [422, 200, 200, 204] == [one.status_code for one in (early, pinned, again, loose)]
    assert ("lapsed", "anna") == (pinned.json()["lifecycle"], pinned.json()["pinned_by"])
    assert ("lapsed", 1) == (kept["lifecycle"], kept["orders"])
    assert ("new", None) == (over["lifecycle"], over["lifecycle_pinned_until"])
    # The pin that is over is gone with the second one.
    assert 404 == twice.status_code
    assert ("new", None) == (last["lifecycle"], last["pinned_until"])
    assert ("moved abroad", "anna") == (last["steps"][-1]["reason"], last["steps"][-1]["actor"])


async def test_orders_told_at_the_same_moment_are_all_counted(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = UUID(await make(client))
    orders = [order(rig, kari) for _ in range(8)]

    async def tell(one):
        async with write(rig.service.scope) as tx:
            await keep_orders(tx, [one], OrderStep.PLACED)
            await usecases.work_out(tx, [kari], reason="order")

    await asyncio.gather(*(tell(one) for one in orders))

    async with rig.client() as client:
        value = (await client.get(f"/v1/contacts/{kari}/value")).json()
    assert (8, 80_000, 4) == (value["orders"], value["spent_minor"], value["frequency"])


async def test_orders_of_nobody_we_know_are_facts_without_a_value(rig_for):
    rig = await rig_for(SPEC)

    await place(rig, order(rig, new_id()))
    async with rig.client() as client:
        nobody = await client.get(f"/v1/contacts/{new_id()}/value")

    pool = await rig.service.database.pool()
    assert 404 == nobody.status_code
    assert (1, 0) == (
        await pool.fetchval("SELECT count(*) FROM order_fact"),
        await pool.fetchval("SELECT count(*) FROM person_value"),
    )
    assert [] == await rig.parked()


async def test_an_order_that_was_called_off_is_neither_bought_nor_open(rig_for):
    rig = await rig_for(SPEC)
    open_orders = {"op": "orders", "state": "open", "value": 2}
    async with rig.client() as client:
        kari = await make(client)
        kept, dropped = order(rig, kari), order(rig, kari, total=70_000)
        counts = []

        async def count():
            answer = await client.post("/v1/segments/preview", json={"condition": open_orders})
            assert answer.status_code == 200, answer.text
            counts.append(answer.json()["count"])

        await place(rig, kept, dropped)
        await count()
        await rig.publish(OrderCancelledV1(items=(dropped.model_copy(update={"version": 2}),)))
        await rig.drain()
        await count()
        value = (await client.get(f"/v1/contacts/{kari}/value")).json()

    assert [1, 0] == counts
    assert 1 == value["orders"]


class Interrupted:
    """A transaction that only reads, behind whose first statement something happens in another."""

    def __init__(self, tx, happens):
        self.tx, self.happens = tx, happens

    def __getattr__(self, name):
        found = getattr(self.tx, name)
        return self.between(found) if name in ("execute", "scalars", "scalar", "get") else found

    def between(self, ask):
        async def asked(*arguments):
            answer = await ask(*arguments)
            happens, self.happens = self.happens, None
            if happens is not None:
                await happens
            return answer

        return asked


async def test_an_order_told_while_a_value_is_read_never_stands_beside_the_lifecycle_before_it(
    rig_for,
):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = UUID(await make(client))

    async with read(rig.service.scope) as tx:
        told = await queries.get_value(Interrupted(tx, place(rig, order(rig, kari))), kari)
    async with read(rig.service.scope) as tx:
        after = await queries.get_value(tx, kari)

    assert (0, "prospect") == (told.orders, told.lifecycle)
    assert (1, "new") == (after.orders, after.lifecycle)
