"""Carriers: each is told in its own words, once; what it answers, or does not, stands on the parcel."""

import asyncio
import socket

import pytest
from aiohttp import web

from kantis_kit.http import OutgoingClient
from orders_svc.carriers.usecases import book_next
from orders_svc.main import SPEC
from orders_svc.people.usecases import take_persons

AGREEMENTS = {
    "bring_uid": "lys@example.com",
    "bring_key": "secret-b",
    "bring_customer": "PARCELS_NORWAY-1",
    "postnord_key": "secret-n",
    "postnord_customer": "20880207",
    "posti_token": "secret-p",
    "posti_customer": "654321",
}
BRING = {
    "consignments": [{"confirmation": {"packages": [{"packageNumber": "370000000000000017"}]}}]
}
POSTNORD = {"idInformation": [{"status": "OK", "ids": [{"idType": "itemId", "value": "UU1SE"}]}]}
POSTI = [{"id": "1", "parcels": [{"parcelNo": "JJFI1"}]}]
NO_CODE = {
    "consignments": [
        {"errors": [{"code": "BOOK-INPUT-021", "messages": [{"lang": "en", "message": "bad zip"}]}]}
    ]
}


class StandIn:
    """A carrier's server on this machine."""

    def __init__(self):
        self.heard, self.answers = [], []

    async def serve(self, request):
        self.heard.append((request, await request.json()))
        status, body = self.answers.pop(0)
        if status == 0:
            request.transport.abort()
        return web.json_response(body, status=status or 500)


@pytest.fixture
async def dock(rig_for, desk_of):
    """A desk with a packed parcel, agreements with three carriers, and a stand-in for all of them."""
    stand_in, app = StandIn(), web.Application()
    app.router.add_post("/{path:.*}", stand_in.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    urls = {f"{name}_url": f"{base}/{name}" for name in ("bring", "postnord", "posti")}
    rig = await rig_for(SPEC, settings={"orders": {**AGREEMENTS, **urls}}, start=False)
    async with desk_of(rig) as desk:
        desk.stand_in, desk.http = stand_in, OutgoingClient(clock=rig.clock)
        person, product = desk.person(), await desk.product()
        async with desk.tx() as tx:
            await take_persons(tx, [person])
        line = {"product_id": product["product_id"], "quantity": 1}
        order = await desk.order(person_id=str(person.person_id), lines=[line])
        desk.order_id = order["order_id"]
        await desk.client.post(f"/v1/orders/{desk.order_id}/pick")
        box = {"lines": [{"line_no": 1, "quantity": 1}], "weight_grams": 1_250}
        packed = await desk.client.post(
            f"/v1/orders/{desk.order_id}/parcels", json={"boxes": [box]}
        )
        (desk.parcel,) = packed.json()["items"]
        yield desk
    await desk.http.close()
    await runner.cleanup()


async def book(dock, carrier="bring", service="5800", **more):
    body = {"carrier": carrier, "service": service, **more}
    return await dock.client.post(f"/v1/parcels/{dock.parcel['parcel_id']}/book", json=body)


async def told(dock, *answers):
    """Let carriers be told of what waits, and answer so; return the parcel."""
    dock.stand_in.answers += answers
    while await book_next(dock.rig.service.scope, dock.http):
        pass
    return await dock.get(f"/v1/parcels/{dock.parcel['parcel_id']}")


async def test_bring_is_told_and_its_number_is_the_customers(dock):
    asked = await book(dock)
    parcel = await told(dock, (200, BRING))
    shipped = (await dock.client.post(f"/v1/orders/{dock.order_id}/ship")).json()

    assert (202, "waiting") == (asked.status_code, asked.json()["booking"])
    ((request, body),) = dock.stand_in.heard
    assert "/bring/api/booking" == request.path
    assert "secret-b" == request.headers["X-Mybring-API-Key"]
    (consignment,) = body["consignments"]
    assert {"id": "5800", "customerNumber": "PARCELS_NORWAY-1"} == consignment["product"]
    recipient = consignment["parties"]["recipient"]
    assert ("Kari Nordmann", "0155", "NO") == (
        recipient["name"], recipient["postalCode"], recipient["countryCode"],
    )  # fmt: skip
    assert [{"correlationId": parcel["code"], "weightInKg": 1.25}] == consignment["packages"]
    assert ("booked", "370000000000000017") == (parcel["booking"], parcel["tracking"])
    assert "370000000000000017" == shipped["tracking"]


async def test_postnord_and_posti_are_told_in_their_own_words(dock):
    await book(dock, "postnord", "19")
    first = await told(dock, (200, POSTNORD))
    await dock.rows("UPDATE parcel SET booking = 'none', tracking = ''")
    await book(dock, "posti", "PO2103")
    second = await told(dock, (201, POSTI))

    assert ["UU1SE", "JJFI1"] == [first["tracking"], second["tracking"]]
    (north, instruction), (fin, order) = dock.stand_in.heard
    assert ("/postnord/rest/shipment/v3/edi", "secret-n") == (north.path, north.query["apikey"])
    (shipment,) = instruction["shipment"]
    assert "19" == shipment["service"]["basicServiceCode"]
    assert "20880207" == shipment["parties"]["consignor"]["partyIdentification"]["partyId"]
    item = shipment["goodsItem"][0]["items"][0]["itemIdentification"]
    assert {"itemId": first["code"], "itemIdType": "SSCC"} == item
    assert ("/posti/api/v1/shipping/order", "Bearer secret-p") == (
        fin.path,
        fin.headers["Authorization"],
    )
    assert [{"id": "POSTI", "custNo": "654321"}] == order["shipment"]["senderPartners"]
    assert ("PO2103", "0155") == (
        order["shipment"]["service"]["id"],
        order["shipment"]["receiver"]["zipcode"],
    )


@pytest.mark.parametrize(
    ("carrier", "status", "body", "note"),
    [
        ("bring", 200, NO_CODE, "BOOK-INPUT-021: bad zip"),
        ("bring", 401, {"error": "who?"}, "401"),
        ("bring", 200, {}, "names no number"),
        ("postnord", 200, {"idInformation": [{"status": "ERROR"}]}, "ERROR"),
        ("posti", 422, [{"message": "zip"}], "422"),
    ],
)
async def test_what_a_carrier_refuses_says_why_and_can_be_booked_again(
    dock, carrier, status, body, note
):
    await book(dock, carrier)

    parcel = await told(dock, (status, body))

    assert "refused" == parcel["booking"]
    assert note in parcel["booking_note"]
    assert 202 == (await book(dock)).status_code


async def test_a_busy_carrier_is_told_later(dock):
    await book(dock)
    busy = await told(dock, (429, {}))
    later = await told(dock, (200, BRING))

    assert ["waiting", "booked"] == [busy["booking"], later["booking"]]


async def test_a_carrier_that_heard_and_did_not_answer_is_not_told_twice(dock):
    await book(dock)
    parcel = await told(dock, (0, {}))
    again = await told(dock)
    refused = await book(dock)
    asked = await book(dock, again=True)
    booked = await told(dock, (200, BRING))

    assert ["unclear", "unclear", "booked"] == [one["booking"] for one in (parcel, again, booked)]
    assert (409, "unclear") == (refused.status_code, refused.json()["booking"])
    assert 202 == asked.status_code
    assert 2 == len(dock.stand_in.heard)


async def test_two_workers_tell_a_carrier_once(dock):
    await book(dock)
    dock.stand_in.answers.append((200, BRING))

    settled = await asyncio.gather(
        *(book_next(dock.rig.service.scope, dock.http) for _ in range(3))
    )

    assert 1 == sum(settled) == len(dock.stand_in.heard)


async def test_a_carrier_by_list_gets_a_table_without_formulas(dock):
    await dock.rows("UPDATE person SET full_name = '=cmd()'")
    listed = await book(dock, "file", "PICKUP")
    twice = await book(dock, "file")

    table = await dock.client.get("/v1/parcels/manifest")

    assert ("booked", 409) == (listed.json()["booking"], twice.status_code)
    assert "text/csv" in table.headers["content-type"]
    row = table.text.splitlines()[1].split(";")
    assert [dock.parcel["code"], "PICKUP", "1250"] == [row[0], *row[2:4]]
    assert "'=cmd()" == row[4]


async def test_a_carrier_without_an_agreement_is_refused_with_those_that_have_one(desk):
    await desk.ready("ABCDE2")
    order_id = (await desk.order(code="ABCDE2"))["order_id"]
    await desk.client.post(f"/v1/orders/{order_id}/pick")
    (parcel,) = (await desk.client.post(f"/v1/orders/{order_id}/parcels")).json()["items"]

    answer = await desk.client.post(
        f"/v1/parcels/{parcel['parcel_id']}/book", json={"carrier": "bring"}
    )

    assert (409, ["file"]) == (answer.status_code, answer.json()["carriers"])
