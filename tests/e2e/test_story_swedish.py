"""The Swedish company's story, through the public API of a whole house.

Its customers are called by the name that they chose. Whoever has complained several times, was just visited and still
waits for an order stands in a segment of their own, from the moment the last of the three comes true until the parcel
leaves.
"""

from datetime import timedelta
from email import message_from_string, policy

import pytest

from kantis.demo.client import Api
from kantis.installation import Surroundings
from kantis.operations import create_api_key
from kantis_kit.clock import SystemClock
from kantis_kit.testing.rabbit import obtain
from kantis_kit.testing.waiting import eventually

pytestmark = pytest.mark.timeout(300)  # the story begins when the demonstration has ended

TROUBLED = {
    "op": "all",
    "of": [
        {"op": "interactions", "kinds": ["complaint"], "within_days": 90, "value": 3},
        {"op": "interactions", "kinds": ["visit"], "within_days": 30},
        {"op": "orders", "state": "open", "value": 1},
    ],
}
ANSWERED = 30
"""The demonstration lets the first thirty recipients answer; those after them are free for this story."""


def words(message):
    """Return what a person reads of a mail."""
    parsed = message_from_string(message, policy=policy.default)
    return "".join(
        part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"
    )


async def change(api, person_id, body):
    await api.send("PATCH", f"/v1/contacts/{person_id}", json=body, headers={"If-Match": "*"})


async def play(house):
    """Let one customer complain, be visited and wait, another do all but the visit; return what the house says."""
    story = await house.demo(100)
    key = await create_api_key(
        Surroundings.read(house.environment), role="administrator", name="story"
    )
    async with Api(house.running.url, key) as api:
        campaign = f"/v1/campaigns/{story['campaign_id']}"
        pieces = (await api.get(f"{campaign}/pieces", state="accepted", limit=100))["items"]
        asta, sven = pieces[ANSWERED : ANSWERED + 2]
        named = {"preferred_name": "Asta", "language": "sv", "country": "SE"}
        await change(api, asta["person_id"], named)
        now = SystemClock().now()
        told = [
            {
                "contact_id": piece["person_id"],
                "kind": "complaint",
                "direction": "in",
                "channel": "phone",
                "source": "switchboard",
                "external_id": f"{piece['person_id']}-{number}",
                "occurred_at": (now - timedelta(days=number)).isoformat(),
            }
            for piece in (asta, sven)
            for number in range(1, 4)
        ]
        told.append({"contact_id": asta["person_id"], "kind": "visit", "place": "Uppsala"})
        # The switchboard sends its list twice: what it tells again is kept once.
        await api.post("/v1/interactions", {"items": told})
        again = await api.post("/v1/interactions", {"items": told[:-1]})
        segment = await api.post("/v1/segments", {"name": "Troubled", "condition": TROUBLED})
        members = f"/v1/segments/{segment['id']}/members"
        before = (await api.get(members))["items"]
        for piece in (asta, sven):
            await api.post("/v1/responses", {"code": piece["response_code"], "kind": "order"})

        async def is_member():
            found = (await api.get(members))["items"]
            return [one["person_id"] for one in found] == [asta["person_id"]]

        await eventually(is_member, message="Asta is not in the segment", within=30)
        await house.quiet()
        contact = await api.get(f"/v1/contacts/{asta['person_id']}")
        value = await api.get(f"/v1/contacts/{asta['person_id']}/value")
        timeline = await api.get(f"/v1/contacts/{asta['person_id']}/timeline", limit=200)
        orders = (await api.get("/v1/orders", limit=200))["items"]
        (order,) = [one for one in orders if one["person_id"] == asta["person_id"]]
        await api.post(f"/v1/orders/{order['order_id']}/pick")
        await api.post(f"/v1/orders/{order['order_id']}/ship", {"tracking": "SE1"})

        async def is_empty():
            return [] == (await api.get(members))["items"]

        def mails():
            return [
                words(mail["message"])
                for mail in house.sink.messages
                if mail["rcpt"] == contact["email"]
            ]

        await eventually(
            lambda: any("SE1" in mail for mail in mails()),
            message="Asta was not told of her parcel",
            within=60,
        )
        await eventually(is_empty, message="Asta still waits for a parcel that left", within=30)
        greeted = any("Hej Asta" in mail for mail in mails())
        return {
            "again": again,
            "before": before,
            "value": value,
            "timeline": timeline["items"],
            "greeted": greeted,
        }


def hold(told):
    """What the story must come to, whatever it ran on."""
    assert [False] * 6 == [one["is_new"] for one in told["again"]]
    assert [] == told["before"]
    assert (1, "new", "new") == tuple(
        told["value"][name] for name in ("orders", "rfm_class", "lifecycle")
    )
    seen = {(one["kind"], one["what"]) for one in told["timeline"]}
    assert {
        ("interaction", "complaint"),
        ("interaction", "visit"),
        ("order", "placed"),
        ("message", "accepted"),
        ("response", "order"),
        ("lifecycle", "new"),
    } <= seen
    assert told["greeted"]


async def test_in_one_process_on_embedded_parts(open_house, tmp_path):
    async with open_house(tmp_path) as house:
        hold(await play(house))


@pytest.mark.slow
@pytest.mark.rabbit
async def test_in_processes_of_their_own_on_rabbitmq(open_house, tmp_path):
    server = obtain()
    try:
        async with open_house(tmp_path, rabbit=server.url) as house:
            hold(await play(house))
    finally:
        server.close()
