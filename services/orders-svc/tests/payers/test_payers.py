"""Invoices and reminders reach who pays: by e-mail, on paper where there is none, and as e-invoices where wished."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import NoticeRequestedV1
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id
from orders_svc.dunning import running

WISHES = "/v1/invoices/payers"
WAITING = "/v1/invoices/deliveries"


class Payers:
    """People who buy, and how what they owe reaches them."""

    def __init__(self, desk):
        self.desk = desk
        self.product = None

    async def person(self, code="ABCDE2", **given):
        self.product = self.product or await self.desk.product()
        person = self.desk.person(**given)
        await self.desk.rig.publish(
            PersonChangedV1(items=(person,)), self.desk.piece(person, self.product, code)
        )
        await self.desk.drain()
        return person

    async def buy(self, code="ABCDE2"):
        answer = await self.desk.order(code=code)
        return await self.desk.ship(answer["order_id"])

    async def wish(self, person, **given):
        return await self.desk.client.put(f"{WISHES}/{person.person_id}", json=given)

    async def waiting(self, **params):
        return [
            (one["invoice_id"], one["way"], one["endpoint"])
            for one in (await self.desk.get(WAITING, **params))["items"]
        ]

    async def told(self, *kinds):
        await self.desk.drain()
        notices = {one.notice_id: one for one in self.desk.rig.items(NoticeRequestedV1)}
        return [(one.kind, one.channel) for _, one in sorted(notices.items()) if one.kind in kinds]

    async def remind(self):
        self.desk.rig.clock.set(datetime(2026, 4, 15, 12, tzinfo=UTC))
        async with self.desk.tx() as tx:
            await running.begin(tx)
        await self.desk.drain()
        self.desk.client.headers["Authorization"] = f"Bearer {self.desk.rig.token('orders')}"


@pytest.fixture
def payers(desk):
    return Payers(desk)


async def test_without_a_wish_it_is_e_mail_and_paper_where_there_is_no_address(payers):
    await payers.person()
    await payers.person("FFFFF1", email=None)
    await payers.person("GGGGG1", undeliverable=("email",))

    await payers.buy()
    on_paper = [await payers.buy(code) for code in ("FFFFF1", "GGGGG1")]

    assert [("invoice_issued", Channel.EMAIL)] == await payers.told("invoice_issued")
    assert [(one["invoice_id"], "letter", "") for one in on_paper] == await payers.waiting()


async def test_a_reminder_goes_on_paper_to_who_has_no_e_mail_or_wants_letters(payers):
    await payers.person()
    await payers.person("FFFFF1", email=None)
    wants = await payers.person("GGGGG1")
    await payers.wish(wants, way="letter")
    for code in ("ABCDE2", "FFFFF1", "GGGGG1"):
        await payers.buy(code)

    await payers.remind()

    told = await payers.told("payment_reminder")
    assert [Channel.EMAIL, Channel.LETTER, Channel.LETTER] == [way for _, way in told]


async def test_an_e_invoice_waits_for_the_network_and_goes_by_letter_when_it_is_refused(payers):
    person = await payers.person()
    wished = await payers.wish(person, way="einvoice", endpoint="0192:987654325")
    invoice = await payers.buy()
    await payers.desk.client.post(
        f"/v1/invoices/{invoice['invoice_id']}/credit-notes",
        json={"lines": [{"line_no": 1, "quantity": 1}], "reason": "Returned"},
    )
    queued = await payers.waiting(way="einvoice")
    note_id = next(one[0] for one in queued if one[0] != invoice["invoice_id"])

    async def settle(invoice_id, **given):
        body = {"invoice_ids": [invoice_id], **given}
        answer = await payers.desk.client.post(f"{WAITING}/settle", json=body)
        assert 200 == answer.status_code, answer.text
        return answer.json()["changed"]

    refused = await settle(invoice["invoice_id"], outcome="refused", reason="unknown receiver")
    sent = [await settle(note_id) for _ in range(2)]
    again = await settle(note_id, outcome="refused")

    assert "einvoice" == wished.json()["goes_by"]
    assert {("einvoice", "0192:987654325")} == {one[1:] for one in queued}
    assert (1, [1, 0], 0) == (refused, sent, again)
    assert [(invoice["invoice_id"], "letter", "")] == await payers.waiting()
    assert [(note_id, "einvoice", "0192:987654325")] == await payers.waiting(state="sent")
    assert [] == await payers.told("invoice_issued", "credit_note_issued")


async def test_a_wish_that_cannot_be_met_is_refused_with_what_to_send(payers):
    person = await payers.person()

    without = await payers.wish(person, way="einvoice")
    crooked = await payers.wish(person, way="einvoice", endpoint="987654325")
    nobody = await payers.desk.client.put(f"{WISHES}/{new_id()}", json={"way": "letter"})

    assert (422, 422, 404) == (without.status_code, crooked.status_code, nobody.status_code)
    assert "as 0192:987654325" in without.text
    shown = await payers.desk.get(f"{WISHES}/{person.person_id}")
    assert (None, "email") == (shown["way"], shown["goes_by"])


async def test_paper_needs_a_postal_address_or_it_stays_with_e_mail(payers):
    person = await payers.person(email=None, address=None)

    wished = await payers.wish(person, way="letter")

    assert ("letter", "email") == (wished.json()["way"], wished.json()["goes_by"])
    assert UUID(wished.json()["person_id"]) == person.person_id


async def test_an_e_invoice_goes_where_its_payer_wished_unless_another_place_is_given(payers):
    person = await payers.person()
    invoice = await payers.buy()
    path = f"/v1/invoices/{invoice['invoice_id']}/ubl"

    unknown = await payers.desk.client.get(path)
    await payers.wish(
        person,
        way="einvoice",
        endpoint="0192:987654325",
        organisation_number="987654325",
        buyer_reference="K-12",
    )
    wished = await payers.desk.client.get(path)
    given = await payers.desk.client.get(
        path, params={"endpoint": "0007:5567321707", "organisation_number": ""}
    )

    assert 422 == unknown.status_code
    assert f"PUT {WISHES}/{person.person_id}" in unknown.json()["detail"]
    assert 200 == wished.status_code
    for told in (
        '<cbc:EndpointID schemeID="0192">987654325<',
        '<cbc:CompanyID schemeID="0192">987654325<',
        "<cbc:BuyerReference>K-12<",
    ):
        assert told in wished.text
    assert '<cbc:EndpointID schemeID="0007">5567321707<' in given.text
    assert "987654325" not in given.text
    assert "<cbc:BuyerReference>K-12<" in given.text
