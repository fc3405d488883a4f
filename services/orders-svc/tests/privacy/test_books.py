"""Bookkeepers find to whom a forgotten person's invoice was made out: with a scope of its own, and seen doing so."""

import json

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_kit.ids import new_id

WHY = {"reason": "tax audit"}


async def test_a_bookkeeper_finds_the_recipient_of_a_forgotten_person_and_leaves_a_trace(desk):
    product = await desk.ready("FFFFF1")
    kari = desk.person(full_name="Zorro Nordmann")
    await desk.rig.publish(PersonChangedV1(items=(kari,)), desk.piece(kari, product, "ABCDE2"))
    await desk.drain()
    invoice = await desk.ship((await desk.order(code="ABCDE2"))["order_id"])
    path = f"/v1/invoices/{invoice['invoice_id']}/restricted-recipient"
    others = ["orders:write", "contacts:write", "operations:write"]
    key = {"Idempotency-Key": "look-1"}
    async with (
        desk.rig.client(scopes=["books:read"], caller="bookkeeper") as books,
        desk.rig.client(scopes=others) as desks,
    ):
        early = await books.post(path, json=WHY)
        item = ErasureRequest(
            erasure_id=new_id(), person_ids=(kari.person_id,), requested_at=desk.rig.clock.now()
        )
        await desk.rig.publish(ErasureRequestedV1(items=(item,)))
        await desk.drain()
        refused = await desks.post(path, json=WHY)
        silent = await books.post(path)
        found = await books.post(path, json=WHY, headers=key)
        again = await books.post(path, json=WHY, headers=key)

    assert [404, 403, 422, 200, 200] == [
        answer.status_code for answer in (early, refused, silent, found, again)
    ]
    assert "/pdf" in early.json()["detail"]
    assert "books:read" in refused.json()["detail"]
    assert "Zorro Nordmann" in found.json()["recipient"]
    assert invoice["number"] == found.json()["number"]
    # What a repeated request would be answered from holds no copy of it.
    assert {**found.json(), "recipient": None} == again.json()
    pool = await desk.rig.service.database.pool()
    assert not await pool.fetchval(
        "SELECT count(*) FROM idempotency WHERE convert_from(body, 'UTF8') LIKE '%Zorro%'"
    )
    (row,) = await pool.fetch(
        "SELECT actor, subject, detail FROM audit WHERE action = 'books.look'"
    )
    assert ("bookkeeper", invoice["invoice_id"]) == (row["actor"], row["subject"])
    assert WHY["reason"] == json.loads(row["detail"])["reason"]
