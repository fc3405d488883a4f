"""Complaints that lead to a printed letter, and an offer where the person is, within the hours and the consent."""

import re
from datetime import timedelta

from stories.printed import pages_of
from stories.steps import begin_rule, complain, know, order, sell, visit

LIMIT_MINOR = 500_000
LETTER = {
    "nb": {
        "subject": "Vi rydder opp",
        "letter": "{{ greeting() }},\n\nDu har ringt oss **mer enn tre** ganger. Det skal du slippe.",
    }
}
TROUBLED = {
    "op": "all",
    "of": [
        {"op": "interactions", "kinds": ["complaint"], "channels": ["phone"], "value": 4},
        {"op": "visits", "compare": "at_most", "value": 4},
        {"op": "orders", "measure": "total_minor", "currency": "NOK", "state": "open", "value": LIMIT_MINOR + 1},
    ],
}  # fmt: skip
"""More than three complaints by telephone AND fewer than five visits AND open orders over 5,000 kr."""
SMS = {"nb": "{{ greeting() }}! Kaffe til halv pris ved gate {{ fact.gate }}."}


async def test_complaints_and_open_orders_lead_to_a_printed_letter_and_nobody_else_gets_one(house):
    await house.put("/v1/visits/sites/butikk", {"origins": ["https://butikk.example"]})
    await sell(house, "lampe", 300_000)
    await sell(house, "kabel", 5_000)
    template = await house.post("/v1/templates", {"name": "Brev", "languages": LETTER})
    letter = {"kind": "message", "ways": [{"channel": "letter", "template_id": template["id"]}]}
    on = {"type": "segment", "condition": TROUBLED}
    body = {"name": "Klager og åpne ordrer", "on": on, "action": letter}
    rule = await begin_rule(house, body)
    names = ("Kari", "Ola", "Per", "Eva")
    kari, ola, per, eva = [await know(house, name, "letter") for name in names]
    for one, sku in ((kari, "lampe"), (ola, "lampe"), (per, "kabel"), (eva, "lampe")):
        await order(house, one, sku, quantity=2)
    await visit(house, kari, 4)
    await visit(house, ola, 5)
    for one, calls in ((kari, 4), (ola, 4), (per, 4), (eva, 3)):
        await complain(house, one, calls)
    await house.rest()

    written = await house.message(kari, channel="letter")
    batch = await house.post("/v1/letters/batches", {"country": "NO"})
    where = f"/v1/letters/batches/{batch['id']}"

    async def is_printed():
        found = await house.get(where)
        return found if found["state"] == "ready" else None

    await house.until("the letter was not printed", is_printed)
    pdf = await house.send("GET", f"{where}/letters.pdf")
    [page] = pages_of(pdf.content)
    why = await house.get(f"/v1/messages/{written['id']}/why")
    told = await house.get(f"/v1/rules/{rule['id']}/explain/{kari}")
    spared = [await house.get(f"/v1/rules/{rule['id']}/explain/{one}") for one in (ola, per, eva)]

    for words in ("Kari Nordmann", "Storgata 1", "0155 Oslo\n", "Vi rydder opp", "mer enn tre"):
        assert words in page
    assert "Hei Kari" in page
    assert re.search(
        r"post@lys.example og oppgi koden \d{13}\.", page
    )  # a no needs no response code
    assert ("rule", rule["name"]) == (why["step"]["kind"], why["step"]["name"])
    [entry] = told["entries"]
    facts = [one["facts"] for one in entry["clauses"]]
    assert ("fired", [4, 4, 1]) == (entry["decision"], [one["count"] for one in facts])
    assert [[], [], []] == [one["entries"] for one in spared]


async def test_an_offer_at_arlanda_leaves_at_once_with_consent_and_within_the_hours_or_never(house):
    template = await house.post("/v1/sms/templates", {"name": "Kaffe", "languages": SMS})
    ways = [{"channel": "sms", "template_id": template["id"]}]
    at_arlanda = {"type": "context", "places": ["arn"], "within_minutes": 30}
    sms = {"kind": "message", "ways": ways}
    await begin_rule(
        house, {"name": "Arlanda", "on": at_arlanda, "action": sms, "re_entry": "every_entry"}
    )
    kari = await know(house, "Kari", "sms", phone="+47 412 34 567")
    ola = await know(house, "Ola", phone="+47 412 34 568")
    await house.rest()

    async def arrive(person_id, event_id):
        told = {
            "event_id": event_id,
            "person_id": person_id,
            "place": "arn",
            "facts": {"gate": "5"},
        }
        told["at"] = house.now.isoformat()
        answer = await house.post("/v1/context-events", {"source": "beacons", "items": [told]})
        return [one["decision"] for one in answer["decisions"]]

    by_day = [await arrive(kari, "1"), await arrive(ola, "2"), await arrive(kari, "1")]
    sent = await house.message(kari, rule="allowed", state="accepted")
    spared = await house.message(ola, rule="no_permission")
    house.rig.clock.advance(timedelta(hours=13))  # late in the evening
    by_night = await arrive(kari, "3")
    waits = await house.message(kari, rule="waits_for_hours")
    house.rig.clock.advance(timedelta(minutes=31))
    expired = await house.message(kari, state="expired")

    assert [["fired"], ["fired"], [], ["fired"]] == [*by_day, by_night]
    assert ("sms", "suppressed") == (sent["channel"], spared["state"])
    assert waits["id"] == expired["id"]
    [only] = house.telephone.requests
    assert "ved gate 5." in only.form()["message"]
    assert ("+4741234567", "Hei Kari") == (only.form()["to"], only.form()["message"][:8])
