"""Everything that was told about a person can be forgotten, and of nobody else."""

from uuid import UUID

from contacts_svc.main import SPEC
from kantis_contracts.messaging import (
    Engagement,
    MessageOpenedV1,
    MessageSettledV1,
    Settled,
    SettledState,
)
from kantis_contracts.orders import (
    OrderCard,
    OrderPlacedV1,
    OrderReturn,
    OrderReturnedV1,
    PaymentBooked,
    PaymentBookedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

TABLES = (
    "order_fact",
    "invoice_fact",
    "payment_fact",
    "message_fact",
    "engagement_fact",
    "response_fact",
    "return_fact",
    "interaction",
    "insight",
    "person_value",
    "lifecycle_change",
    "lifecycle_pin",
)
TERM = {
    "key": "warm_feet",
    "kind": "need",
    "words": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Warm feet"),
}


async def furnish(rig, client, name):
    body = {"full_name": name, "email": f"{name}@example.com"}
    contact = (await client.post("/v1/contacts", json=body)).json()["id"]
    person, now = UUID(contact), rig.clock.now()
    call = {"items": [{"contact_id": contact, "kind": "call"}]}
    await client.post("/v1/interactions", json=call)
    need = {"items": [{"term": "warm_feet", "source": "call"}]}
    await client.post(f"/v1/contacts/{contact}/insights", json=need)
    pin = {"lifecycle": "lapsed", "until": "2027-01-01T00:00:00Z"}
    await client.put(f"/v1/contacts/{contact}/lifecycle", json=pin)
    order = OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=person,
        total_minor=1,
        currency="NOK",
        changed_at=now,
    )
    payment = PaymentBooked(
        payment_id=new_id(),
        invoice_id=new_id(),
        order_id=order.order_id,
        person_id=person,
        amount_minor=1,
        currency="NOK",
        open_minor=0,
        booked_at=now,
    )
    message = Settled(
        message_id=new_id(),
        person_id=person,
        channel=Channel.SMS,
        state=SettledState.ACCEPTED,
        settled_at=now,
    )
    seen = Engagement(
        engagement_id=new_id(), message_id=message.message_id, person_id=person, seen_at=now
    )
    answer = ResponseRegistered(
        response_id=new_id(),
        kind=ResponseKind.ORDER,
        way=ResponseWay.WEB,
        response_code="7K2M9QX4TZ",
        person_id=person,
        responded_at=now,
    )
    returned = OrderReturn(
        return_id=new_id(),
        order_id=order.order_id,
        number="1",
        person_id=person,
        refund_minor=1,
        returned_minor=1,
        currency="NOK",
        returned_at=now,
    )
    await rig.publish(
        OrderPlacedV1(items=(order,)),
        OrderReturnedV1(items=(returned,)),
        PaymentBookedV1(items=(payment,)),
        MessageSettledV1(items=(message,)),
        MessageOpenedV1(items=(seen,)),
        ResponseRegisteredV1(items=(answer,)),
    )
    return person


async def test_erasure_forgets_what_is_known_of_one_person_and_of_nobody_else(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await client.post("/v1/insights/terms", json=TERM)
        kari, ola = [await furnish(rig, client, name) for name in ("kari", "ola")]
    await rig.drain()
    pool = await rig.service.database.pool()

    async def owners():
        return {
            table: {one[0] for one in await pool.fetch(f"SELECT DISTINCT person_id FROM {table}")}
            for table in TABLES
        }

    before = await owners()
    async with rig.client() as client:
        assert 204 == (await client.delete(f"/v1/contacts/{kari}")).status_code
    await rig.drain()

    assert {key: {kari, ola} for key in TABLES} == before
    assert {key: {ola} for key in TABLES} == await owners()
