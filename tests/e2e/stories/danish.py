"""The Danish company's story, through the public API of a whole house.

Mette buys for three companies. She and Jens share the telephone of one of them, and stay two people. In one company she
wants to be left alone until a day: who asks for buyers that may be approached there does not get her before it.
"""

from kantis_kit.testing.waiting import eventually

NUMBERS = {"Møller A/S": "13 58 56 28", "Havn ApS": "", "Skov I/S": ""}
METTE = {
    "full_name": "Mette Holm",
    "email": "mette@example.com",
    "phone": "32 12 34 56",
    "country": "DK",
    "address": {"street": "Nørregade 5, 3.tv.", "postal_code": "DK-2100", "city": "København Ø"},
}
JENS = {
    "full_name": "Jens Dahl",
    "email": "jens@example.com",
    "phone": "+45 32123456",
    "country": "DK",
    "phone_is_shared": True,
}


async def play(house, api):
    """Let Mette and Jens be known, and return what the house says of them."""
    mette = await api.post("/v1/contacts", METTE)
    jens = await api.post("/v1/contacts", JENS)
    firms = [
        await api.post("/v1/organisations", {"name": name, "number": number, "country": "DK"})
        for name, number in NUMBERS.items()
    ]
    links = f"/v1/contacts/{mette['id']}/links"
    made = [
        await api.post(links, {"organisation_id": firm["id"], "role": "buyer", **more})
        for firm, more in zip(
            firms,
            ({"relevance": 90}, {"not_before": "2999-01-01"}, {"do_not_contact": True}),
            strict=True,
        )
    ]
    await api.post(
        f"/v1/contacts/{jens['id']}/links",
        {"organisation_id": firms[1]["id"], "role": "buyer"},
    )
    buyers = {
        "op": "link",
        "organisation_ids": [firms[1]["id"]],
        "roles": ["buyer"],
        "contactable": True,
    }
    segment = await api.post("/v1/segments", {"name": "Buyers", "condition": buyers})
    members = f"/v1/segments/{segment['id']}/members"

    async def ids():
        return {one["person_id"] for one in (await api.get(members))["items"]}

    async def is_jens():
        return await ids() == {jens["id"]}

    async def are_both():
        return await ids() == {mette["id"], jens["id"]}

    await eventually(is_jens, message="only Jens may be approached there", within=30)
    there = await api.get(links)
    found = await api.get("/v1/contacts", phone="+4532123456")
    await api.send("PATCH", f"{links}/{made[1]['id']}", json={"not_before": ""})
    await eventually(are_both, message="Mette may be approached there too", within=30)

    async def cards():
        rows = await house.fetch("messaging", "SELECT email FROM person_card")
        shown = {row["email"] for row in rows}
        return shown if {METTE["email"], JENS["email"]} <= shown else None

    await eventually(cards, message="the senders do not know both", within=30)
    return {
        "mette": mette,
        "number": firms[0]["number"],
        "silent": {one["organisation_name"]: one["silent_because"] for one in there},
        "by_phone": {one["full_name"] for one in found["items"]},
        "identifying": [one["is_identifying"] for one in jens["identifiers"]],
    }


def hold(told):
    """What the story must come to, whatever it ran on."""
    assert "13585628" == told["number"]
    assert {"Mette Holm", "Jens Dahl"} == told["by_phone"]
    assert [True, False] == told["identifying"]
    assert {
        "Møller A/S": "",
        "Havn ApS": "no contact is wanted in this role before 2999-01-01",
        "Skov I/S": "no contact is wanted in this role",
    } == told["silent"]
    assert ("Nørregade 5, 3. tv", "2100") == tuple(
        told["mette"]["address"][name] for name in ("street", "postal_code")
    )
    assert "" == told["mette"]["preferred_name"]
