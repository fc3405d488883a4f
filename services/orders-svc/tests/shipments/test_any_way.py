"""Whatever leaves, falls short, is called off and comes back, in whatever order: stock, invoices and ledger agree."""

import random
from datetime import timedelta

from kantis_contracts.contacts import PersonChangedV1

STEPS = 14
WRONG_STOCK = """
    SELECT p.sku FROM product p WHERE
        p.on_hand <> (SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.product_id = p.product_id)
        OR p.reserved <> (SELECT coalesce(sum(r.quantity), 0) FROM reservation r
                          WHERE r.product_id = p.product_id AND r.state = 'held')
        OR p.reserved <> (SELECT coalesce(sum(l.quantity - l.shipped_quantity - l.cancelled_quantity), 0)
                          FROM order_line l JOIN sales_order o USING (order_id)
                          WHERE l.product_id = p.product_id AND o.state IN ('placed', 'picking'))
"""
WRONG_LINES = """
    SELECT l.order_id FROM order_line l JOIN sales_order o USING (order_id) WHERE l.shipped_quantity <>
        (SELECT coalesce(sum(s.quantity), 0) FROM shipment_line s JOIN shipment t USING (shipment_id)
         WHERE t.order_id = l.order_id AND s.line_no = l.line_no)
        OR (o.state = 'shipped' AND l.shipped_quantity + l.cancelled_quantity <> l.quantity)
"""
WRONG_MONEY = """
    SELECT o.order_id FROM sales_order o WHERE o.state = 'shipped' AND o.total_minor <>
        (SELECT sum(i.total_minor) FROM invoice i WHERE i.order_id = o.order_id AND i.kind = 'invoice')
    UNION ALL
    SELECT o.order_id FROM sales_order o WHERE
        (SELECT coalesce(sum(refund_minor), 0) FROM goods_return r WHERE r.order_id = o.order_id) <>
        (SELECT coalesce(sum(i.total_minor), 0) FROM invoice i WHERE i.order_id = o.order_id AND i.kind = 'credit_note')
    UNION ALL
    SELECT s.order_id FROM shipment s WHERE
        (SELECT sum(l.returned_quantity * o.unit_price_minor) FROM shipment_line l
         JOIN order_line o ON o.order_id = s.order_id AND o.line_no = l.line_no
         WHERE l.shipment_id = s.shipment_id) <> (SELECT credited_minor FROM invoice i WHERE i.invoice_id = s.invoice_id)
"""


class Walk:
    """One order that things happen to, as chance has it."""

    def __init__(self, desk, order_id, chance):
        self.desk, self.order_id, self.chance = desk, order_id, chance

    async def post(self, path, **body):
        answer = await self.desk.client.post(path, json=body or None)
        assert answer.status_code in (200, 201, 409), answer.text
        return answer

    async def wave(self):
        answer = await self.post("/v1/waves", max_orders=5)
        if answer.status_code == 409:
            return
        wave = f"/v1/waves/{answer.json()['wave_id']}/lines"
        for line in (await self.desk.get(wave))["items"]:
            where = f"{wave}/{line['walk_no']}"
            if self.chance.random() < 0.5:
                await self.post(f"{where}/pick", code=line["sku"], quantity=line["quantity"])
            else:
                rest = self.chance.choice(["back_order", "call_off"])
                picked = self.chance.randrange(line["quantity"])
                await self.post(f"{where}/short", picked=picked, rest=rest)

    async def pack(self):
        await self.post(f"/v1/orders/{self.order_id}/parcels")

    async def ship(self):
        await self.post(f"/v1/orders/{self.order_id}/ship")

    async def ship_some(self):
        line = {"line_no": self.chance.choice([1, 2]), "quantity": self.chance.choice([1, 2])}
        await self.post(f"/v1/orders/{self.order_id}/pick")
        await self.post(f"/v1/orders/{self.order_id}/ship", lines=[line])

    async def give_back(self):
        line = {"line_no": self.chance.choice([1, 2]), "quantity": self.chance.choice([1, 2])}
        made = await self.post("/v1/returns", order_id=self.order_id, lines=[line])
        if made.status_code == 201:
            fate = self.chance.choice(["restock", "scrap"])
            code = self.chance.choice(["LAMP", "BLANKET"])
            found = [{"code": code, "quantity": 1, "fate": fate}]
            await self.post(f"/v1/returns/{made.json()['return_id']}/receive", found=found)

    async def cancel(self):
        if self.chance.random() < 0.2:
            await self.post(f"/v1/orders/{self.order_id}/cancel")

    async def wait(self):
        self.desk.later(timedelta(days=1))


async def test_stock_invoices_and_ledger_agree_whatever_happens_to_an_order(desk):
    chance, person = random.Random(2), desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    goods = [await desk.product(30, sku=sku, name=sku.title()) for sku in ("LAMP", "BLANKET")]
    done = set()
    for _ in range(2):
        lines = [
            {"product_id": one["product_id"], "quantity": chance.randint(2, 4)} for one in goods
        ]
        placed = await desk.order(person_id=str(person.person_id), lines=lines, again=True)
        walk = Walk(desk, placed["order_id"], chance)
        ways = [
            walk.wave,
            walk.pack,
            walk.ship,
            walk.ship_some,
            walk.give_back,
            walk.cancel,
            walk.wait,
        ]
        for _ in range(STEPS):
            way = chance.choice(ways)
            await way()
            done.add(way.__name__)
            for wrong in (WRONG_STOCK, WRONG_LINES, WRONG_MONEY):
                assert [] == await desk.rows(wrong), way.__name__
        await desk.accounts()

    ((shipments, returns),) = await desk.rows(
        "SELECT (SELECT count(*) FROM shipment), (SELECT count(*) FROM goods_return WHERE state = 'received')"
    )
    assert shipments, "it has not come far enough to prove much"
    assert {"wave", "ship", "give_back"} <= done, returns
