"""Two records of one person become one in contacts-svc: whoever shows the person says so, and undoing gives it back."""

from contacts_svc.main import SPEC as CONTACTS
from messaging_svc.main import SPEC as MESSAGING
from orders_svc.main import SPEC as ORDERS

LAMP = {"sku": "LAMP", "name": "Lampe", "price_minor": 19_900, "currency": "NOK"}


async def test_orders_and_messages_follow_a_merge_and_its_undoing(rig_for):
    rig = await rig_for(CONTACTS, ORDERS, MESSAGING)
    async with (
        rig.client("contacts") as contacts,
        rig.client("orders") as orders,
        rig.client("messaging") as messaging,
    ):

        async def post(client, path, body):
            answer = await client.post(path, json=body)
            assert answer.status_code < 300, answer.text
            await rig.drain()
            return answer.json()

        async def shown():
            """Return who is said to have ordered, to be written to, and to be behind the old id."""
            params = {"person_id": merged}
            order = (await orders.get("/v1/orders", params=params)).json()["items"][0]
            found = (await messaging.get("/v1/messages", params=params)).json()["items"][0]
            why = (await messaging.get(f"/v1/messages/{found['id']}/why")).json()
            person = (await contacts.get(f"/v1/contacts/{merged}")).json()
            return order["person_id"], why["message"]["person_id"], person["id"]

        await post(orders, "/v1/products", {**LAMP, "initial_stock": 5})
        known, merged = [
            (await post(contacts, "/v1/contacts", {"full_name": "Kari Nes", "email": mail}))["id"]
            for mail in ("kari@example.com", "kn@example.com")
        ]
        lines = [{"sku": "LAMP", "quantity": 1}]
        await post(orders, "/v1/responses", {"kind": "order", "person_id": merged, "lines": lines})
        before = await shown()
        merge = await post(contacts, "/v1/merges", {"known_id": known, "merged_id": merged})
        # The old id still stands on somebody's paper.
        await post(orders, "/v1/responses", {"kind": "order", "person_id": merged, "lines": lines})
        together = await shown()
        timeline = (await contacts.get(f"/v1/contacts/{known}/timeline")).json()["items"]
        await post(contacts, f"/v1/merges/{merge['id']}/undo", {})
        after = await shown()

    assert (merged,) * 3 == before == after
    assert (known,) * 3 == together
    assert 2 == len([one for one in timeline if one["kind"] == "order" and one["what"] == "placed"])
