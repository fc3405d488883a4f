"""The Swedish company's story: complaints, a visit and an open order make a segment.

Its customers are called by the name that they chose. Whoever has complained several times, was just visited and still
waits for an order stands in a segment of their own, from the moment the last of the three comes true until the parcel
leaves.
"""

from datetime import timedelta

from stories.telling import order, texts_to

from kantis_kit.clock import SystemClock
from kantis_kit.testing.waiting import eventually

TROUBLED = {
    "op": "all",
    "of": [
        {"op": "interactions", "kinds": ["complaint"], "within_days": 90, "value": 3},
        {"op": "interactions", "kinds": ["visit"], "within_days": 30},
        {"op": "orders", "state": "open", "value": 1},
    ],
}
FILT = {
    "sku": "FILT",
    "name": "Filt",
    "price_minor": 39_900,
    "currency": "SEK",
    "initial_stock": 10,
}


async def know(api, name):
    """Make a customer, whose name alone does not say what they want to be called."""
    body = {
        "full_name": f"{name} Lind",
        "email": f"{name.lower()}@exempel.example",
        "language": "sv",
        "country": "SE",
        "address": {"street": "Storgatan 1", "postal_code": "111 22", "city": "Stockholm"},
    }
    return await api.post("/v1/contacts", body)


async def play(house, api):
    """Let one customer complain, be visited and wait, another do all but the visit; return what the house says."""
    asta, sven = [await know(api, name) for name in ("Augusta", "Sven")]
    named = {"preferred_name": "Asta"}
    path = f"/v1/contacts/{asta['id']}"
    await api.send("PATCH", path, json=named, headers={"If-Match": "*"})
    await api.post("/v1/products", FILT)
    now = SystemClock().now()
    told = [
        {
            "contact_id": person["id"],
            "kind": "complaint",
            "direction": "in",
            "channel": "phone",
            "source": "switchboard",
            "external_id": f"{person['id']}-{number}",
            "occurred_at": (now - timedelta(days=number)).isoformat(),
        }
        for person in (asta, sven)
        for number in range(1, 4)
    ]
    told.append({"contact_id": asta["id"], "kind": "visit", "place": "Uppsala"})
    # The switchboard sends its list twice: what it tells again is kept once.
    await api.post("/v1/interactions", {"items": told})
    again = await api.post("/v1/interactions", {"items": told[:-1]})
    segment = await api.post("/v1/segments", {"name": "Troubled", "condition": TROUBLED})
    members = f"/v1/segments/{segment['id']}/members"
    before = (await api.get(members))["items"]
    for person in (asta, sven):
        await order(api, person["id"], FILT["sku"])

    async def is_member():
        found = (await api.get(members))["items"]
        return [one["person_id"] for one in found] == [asta["id"]]

    await eventually(is_member, message="Asta is not in the segment", within=60)

    async def seen():
        shown = (await api.get(f"{path}/timeline", limit=200))["items"]
        kinds = {(one["kind"], one["what"]) for one in shown}
        return kinds if ("message", "accepted") in kinds else None

    timeline = await eventually(seen, message="the confirmation is not on the timeline", within=60)
    value = await api.get(f"{path}/value")
    orders = (await api.get("/v1/orders", limit=200))["items"]
    (placed,) = [one for one in orders if one["person_id"] == asta["id"]]
    await api.post(f"/v1/orders/{placed['order_id']}/pick")
    await api.post(f"/v1/orders/{placed['order_id']}/ship", {"tracking": "SE1"})

    async def is_empty():
        return [] == (await api.get(members))["items"]

    def is_told():
        return [mail for mail in texts_to(house, asta["email"]) if "SE1" in mail]

    mails = await eventually(is_told, message="Asta was not told of her parcel", within=60)
    await eventually(is_empty, message="Asta still waits for a parcel that left", within=60)
    return {
        "again": again,
        "before": before,
        "value": value,
        "timeline": timeline,
        "greeted": all("Hej Asta" in mail for mail in mails),
    }


def hold(told):
    """What the story must come to, whatever it ran on."""
    assert [False] * 6 == [one["is_new"] for one in told["again"]]
    assert [] == told["before"]
    assert (1, "new", "new") == tuple(
        told["value"][name] for name in ("orders", "rfm_class", "lifecycle")
    )
    assert {
        ("interaction", "complaint"),
        ("interaction", "visit"),
        ("order", "placed"),
        ("message", "accepted"),
        ("response", "order"),
        ("lifecycle", "new"),
    } <= told["timeline"]
    assert told["greeted"]
