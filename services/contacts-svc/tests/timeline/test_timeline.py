"""One timeline over everything that the services know of a person."""

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from contacts_svc.main import SPEC
from kantis_contracts.messaging import (
    Engagement,
    LinkClickedV1,
    MessageOpenedV1,
    MessageSettledV1,
    Settled,
    SettledState,
)
from kantis_contracts.orders import (
    InvoiceCard,
    InvoiceIssuedV1,
    OrderCard,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
    PaymentBooked,
    PaymentBookedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

TERM = {
    "key": "warm_feet",
    "kind": "need",
    "words": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Warm feet"),
}
YES = {
    "channel": "email",
    "purpose": "newsletter",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes, please",
}


async def make(client, name):
    body = {"full_name": name, "email": f"{name}@example.com"}
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def visit(rig, client, kari):
    """Let Kari look at a page of ours, by a link that names her."""
    site = {"origins": ["https://shop.example"]}
    await client.put("/v1/visits/sites/shop", json=site)
    link = (await client.post(f"/v1/contacts/{kari}/visits/link")).json()
    told = {
        "site": "shop",
        "visitor": str(new_id()),
        "consent": True,
        "consent_version": "1",
        "token": link["token"],
        "views": [{"id": str(new_id()), "path": "/boots", "title": "Boots"}],
    }
    browser = {"Origin": "https://shop.example", "User-Agent": "Mozilla/5.0 Firefox/150"}
    async with rig.anonymous() as page:
        answer = await page.post("/v/seen", json=told, headers=browser)
    assert answer.is_success, answer.text


async def furnish(rig, client, kari, campaign):
    """Let something of every kind happen to Kari, all of it told by whoever knows it."""
    now, person = rig.clock.now(), UUID(kari)

    def at(days):
        return now - timedelta(days=days)

    await client.post(f"/v1/contacts/{kari}/permissions", json=YES)
    await visit(rig, client, kari)
    await client.post("/v1/insights/terms", json=TERM)
    await client.post(
        f"/v1/contacts/{kari}/insights",
        json={"items": [{"term": "warm_feet", "source": "call", "said_at": at(2).isoformat()}]},
    )
    call = {"contact_id": kari, "kind": "call", "channel": "phone", "topic": "late"}
    await client.post(
        "/v1/interactions",
        json={"items": [{**call, "occurred_at": at(n).isoformat()} for n in range(1, 6)]},
    )
    order = OrderCard(
        order_id=new_id(),
        version=1,
        number="1001",
        person_id=person,
        campaign_id=campaign,
        total_minor=10_000,
        currency="NOK",
        changed_at=at(4),
    )
    invoice = InvoiceCard(
        invoice_id=new_id(),
        order_id=order.order_id,
        person_id=person,
        number="F1",
        reference="1",
        total_minor=10_000,
        currency="NOK",
        due_on=date(2026, 4, 1),
        issued_at=at(3),
    )
    payment = PaymentBooked(
        payment_id=new_id(),
        invoice_id=invoice.invoice_id,
        order_id=order.order_id,
        person_id=person,
        amount_minor=10_000,
        currency="NOK",
        open_minor=0,
        booked_at=at(1),
    )
    message = Settled(
        message_id=new_id(),
        person_id=person,
        campaign_id=campaign,
        channel=Channel.EMAIL,
        state=SettledState.ACCEPTED,
        settled_at=at(6),
    )
    seen = Engagement(
        engagement_id=new_id(), message_id=message.message_id, person_id=person, seen_at=at(5)
    )
    answer = ResponseRegistered(
        response_id=new_id(),
        kind=ResponseKind.ORDER,
        way=ResponseWay.WEB,
        response_code="7K2M9QX4TZ",
        person_id=person,
        campaign_id=campaign,
        responded_at=at(4),
    )
    later = {"version": 2, "changed_at": at(3)}
    await rig.publish(
        OrderPlacedV1(items=(order,)),
        OrderShippedV1(items=(order.model_copy(update=later),)),
        # Shipped and paid at one moment: two entries of one order that only their names tell apart.
        OrderPaidV1(items=(order.model_copy(update={**later, "version": 3}),)),
        InvoiceIssuedV1(items=(invoice,)),
        PaymentBookedV1(items=(payment,)),
        MessageSettledV1(items=(message,)),
        MessageOpenedV1(items=(seen,)),
        LinkClickedV1(items=(seen.model_copy(update={"engagement_id": new_id()}),)),
        ResponseRegisteredV1(items=(answer,)),
    )
    await rig.drain()


async def read(client, person, **query):
    entries, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = await client.get(f"/v1/contacts/{person}/timeline", params={**query, **more})
        assert answer.status_code == 200, answer.text
        entries += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return entries


async def test_everything_that_happened_stands_on_one_timeline_page_by_page(rig_for):
    rig = await rig_for(SPEC)
    campaign = new_id()

    async with rig.client() as client:
        kari, ola = await make(client, "kari"), await make(client, "ola")
        await furnish(rig, client, kari, campaign)
        whole = await read(client, kari, limit=500)
        paged = [await read(client, kari, limit=size) for size in (1, 2, 3, 7)]
        others = await read(client, ola)

    assert {
        "order": 3,
        "interaction": 5,
        "engagement": 2,
        "change": 2,
        "message": 1,
        "invoice": 1,
        "payment": 1,
        "response": 1,
        "insight": 1,
        "permission": 1,
        "lifecycle": 1,
        "visit": 1,
    } == Counter(one["kind"] for one in whole)
    assert all(earlier["at"] >= later["at"] for earlier, later in pairwise(whole))
    for pages in paged:
        assert whole == pages
    assert ["change"] == [one["kind"] for one in others]
    assert ["", "prospect"] == others[0]["facts"]["changes"]["lifecycle"]
    (placed,) = [one for one in whole if one["what"] == "placed"]
    assert {"number": "1001", "total_minor": 10_000, "currency": "NOK"} == placed["facts"]
    assert str(campaign) == placed["campaign_id"]
    (seen,) = [one for one in whole if one["kind"] == "visit"]
    assert ("seen", "/boots", "Boots") == (
        seen["what"],
        seen["facts"]["path"],
        seen["facts"]["title"],
    )


async def test_a_timeline_is_narrowed_by_kind_channel_and_time(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()

    async with rig.client() as client:
        kari = await make(client, "kari")
        await furnish(rig, client, kari, new_id())
        orders = await read(client, kari, kind=["order", "invoice"])
        mail = await read(client, kari, channel="email", limit=2)
        window = await read(
            client,
            kari,
            kind="interaction",
            **{
                "from": (now - timedelta(days=4)).isoformat(),
                "to": (now - timedelta(days=2)).isoformat(),
            },
        )
        both = await read(client, kari, kind="order", channel="email")
        refused = [
            await client.get(f"/v1/contacts/{kari}/timeline", params=query)
            for query in ({"kind": "dream"}, {"cursor": "abc"}, {"from": "yesterday"})
        ]
        nobody = await client.get(f"/v1/contacts/{new_id()}/timeline")

    assert ["issued", "paid", "placed", "shipped"] == sorted(one["what"] for one in orders)
    assert [("permission", "granted"), ("message", "accepted")] == [
        (one["kind"], one["what"]) for one in mail if one["kind"] != "engagement"
    ]
    assert {"opened", "clicked"} == {one["what"] for one in mail if one["kind"] == "engagement"}
    assert [3, 4] == [(now - datetime.fromisoformat(one["at"])).days for one in window]
    assert [] == both
    assert [422, 422, 422, 404] == [one.status_code for one in (*refused, nobody)]
