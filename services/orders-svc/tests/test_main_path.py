"""From a piece's code to a paid invoice and a balanced ledger."""

from kantis_contracts.orders import (
    InvoiceIssuedV1,
    NoticeRequestedV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
    PaymentBookedV1,
    ProductChangedV1,
    ResponseRegisteredV1,
)


async def test_an_answer_becomes_an_order_a_parcel_an_invoice_and_a_balanced_ledger(desk):
    total = 2 * desk.price
    product = await desk.ready("ABCDE2", stock=5)

    answer = await desk.order(code="abc-de2", quantity=2)
    picks = await desk.get("/v1/orders/pick-list")
    invoice = await desk.ship(answer["order_id"])
    pdf = await desk.client.get(f"/v1/invoices/{invoice['invoice_id']}/pdf")
    paid = await desk.pay(invoice["reference"], total, external_id="bank-1")
    accounts = await desk.accounts()
    order = await desk.get(f"/v1/orders/{answer['order_id']}")
    response = await desk.get(f"/v1/responses/{answer['response_id']}")
    left = await desk.get(f"/v1/products/{product['product_id']}")
    await desk.drain()

    assert "ship_order" == answer["next_step"]
    assert [{"sku": "BLANKET", "name": "Ullteppe", "quantity": 2}] == picks["totals"]
    assert ["Storgata 9"] == [one["street"] for one in picks["orders"]]
    assert total == invoice["total_minor"] == invoice["net_minor"] + invoice["vat_minor"]
    assert pdf.content.startswith(b"%PDF")
    assert ("booked", 0) == (paid.json()["state"], paid.json()["credit_minor"])
    assert {"bank": total, "receivables": 0, "revenue": -39_840, "vat": -9_960} == accounts
    assert order["is_paid"]
    assert ("answered", "done") == (response["state"], response["next_step"])
    assert (3, 0, 3) == (left["on_hand"], left["reserved"], left["available"])

    items = desk.rig.items
    assert ["ABCDE2"] == [item.response_code for item in items(ResponseRegisteredV1)]
    kinds = (OrderPlacedV1, OrderShippedV1, OrderPaidV1)
    assert [1, 3, 4] == [item.version for kind in kinds for item in items(kind)]
    assert [invoice["reference"]] == [item.reference for item in items(InvoiceIssuedV1)]
    booked = [(item.amount_minor, item.open_minor) for item in items(PaymentBookedV1)]
    assert [(total, 0)] == booked
    notices = sorted(items(NoticeRequestedV1), key=lambda item: item.notice_id)
    assert ["order_placed", "order_shipped", "invoice_issued"] == [one.kind for one in notices]
    assert "498,00\xa0kr" == notices[-1].facts["amount"]
    assert "16. mars 2026" == notices[-1].facts["due_on"]
    assert 3 == max(items(ProductChangedV1), key=lambda item: item.version).available
    assert [] == await desk.rig.parked()


async def test_an_answer_keyed_before_its_piece_is_known_waits_and_is_then_ordered(desk):
    product = await desk.ready("FFFFF1")
    person = desk.person()

    early = await desk.order(code="ggggg2")
    waiting = await desk.get("/v1/responses", state="unresolved")
    await desk.rig.publish(desk.piece(person, product, "GGGGG2"))
    await desk.drain()
    later = await desk.get(f"/v1/responses/{early['response_id']}")

    assert ("unresolved", "resolve_code") == (early["state"], early["next_step"])
    assert [early["response_id"]] == [one["response_id"] for one in waiting["items"]]
    assert ("open", "ship_order") == (later["state"], later["next_step"])
    assert str(person.person_id) == later["person_id"]
    registered = desk.rig.items(ResponseRegisteredV1)
    assert ["GGGGG2"] == [item.response_code for item in registered]
