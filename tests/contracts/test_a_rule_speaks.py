"""From what is true of a person to what they are told: three services, one rule."""

from copy import deepcopy
from datetime import timedelta

import pytest

from campaign_svc.main import SPEC as CAMPAIGN
from campaign_svc.rules.schemas import EXAMPLE
from contacts_svc.main import SPEC as CONTACTS
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.http import HttpSink, json_answer
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC as MESSAGING

LETTER = {"nb": {"subject": "Vi rydder opp", "letter": "{{ greeting() }},\n\nVi har hørt deg."}}
SMS = {"nb": "{{ greeting() }}! Kaffe til halv pris ved gate 5. {{ response_url }}"}


class House:
    """Three services in one room, and who works with them."""

    def __init__(self, rig):
        self.rig = rig

    async def post(self, service, path, body):
        async with self.rig.client(service) as client:
            answer = await client.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    async def get(self, service, path, **params):
        async with self.rig.client(service) as client:
            answer = await client.get(path, params=params)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    async def person(self, name, *channels, phone=""):
        made = await self.post(
            "contacts",
            "/v1/contacts",
            {
                "full_name": f"{name} Nordmann", "preferred_name": name, "country": "NO", "language": "nb",
                "email": f"{name}@example.com".lower(), "phone": phone,
                "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
            },
        )  # fmt: skip
        for channel in channels:
            yes = {
                "channel": channel, "purpose": "offers", "state": "granted", "source": "fair",
                "text_shown": "Ja takk",
            }  # fmt: skip
            await self.post("contacts", f"/v1/contacts/{made['id']}/permissions", yes)
        return made["id"]

    async def rule(self, body):
        made = await self.post("campaign", "/v1/rules", body)

        async def is_active():
            await self.rig.drain()
            found = await self.get("campaign", f"/v1/rules/{made['id']}")
            assert "refused" != found["state"], found["problem"]
            return found if found["state"] == "active" else None

        found = await eventually(is_active, message="the rule did not begin")
        if found["segment_id"]:

            async def is_built():
                segment = await self.get("contacts", f"/v1/segments/{found['segment_id']}")
                return segment["membership"]["is_built"]

            await eventually(is_built, message="the segment was not built")
        return found

    async def message(self, person_id, rule=None, state=None):
        """Wait for a person's message, until the gate has said this of it and it has come so far."""

        async def there():
            found = (await self.get("messaging", "/v1/messages", person_id=person_id))["items"]
            meant = (
                one
                for one in found
                if rule in (None, one["rule"]) and state in (None, one["state"])
            )
            return next(meant, None)

        return await eventually(there, message=f"no message says {rule}")


@pytest.fixture
async def provider():
    async with HttpSink(answer=lambda _: json_answer({"id": "s1", "status": "created"})) as sink:
        yield sink


@pytest.fixture
async def house(rig_for, provider):
    settings = {
        "smtp_host": "", "letter_return_address": "Storgata 1, 0155 Oslo", "company": "Lys AS",
        "sms_provider": "46elks", "sms_url": provider.url, "sms_user": "u", "sms_password": "p",
        "sms_sender": "Lys AS", "sms_webhook_secret": "a-long-secret-of-the-address",
        "permission_grace_seconds": 0.0,
    }  # fmt: skip
    return House(await rig_for(CONTACTS, CAMPAIGN, MESSAGING, settings={"messaging": settings}))


async def test_complaints_and_open_orders_lead_to_a_printed_letter_that_says_why(house):
    template = await house.post("messaging", "/v1/templates", {"name": "Brev", "languages": LETTER})
    body = deepcopy(EXAMPLE)
    body["action"]["ways"][0]["template_id"] = template["id"]
    rule = await house.rule(body)
    kari, ola = await house.person("Kari", "letter"), await house.person("Ola", "letter")
    now = house.rig.clock.now()
    orders = tuple(
        OrderCard(
            order_id=new_id(), version=1, number=str(n), person_id=one, total_minor=total, currency="NOK",
            changed_at=now - timedelta(days=3),
        )
        for n, (one, total) in enumerate(((kari, 500_100), (ola, 500_000)))
    )  # fmt: skip
    await house.rig.publish(OrderPlacedV1(items=orders))
    await house.rig.drain()
    calls = [
        {
            "contact_id": one, "kind": "complaint", "channel": "phone", "direction": "in",
            "occurred_at": (now - timedelta(hours=n + 1)).isoformat(),
        }
        for one in (kari, ola)
        for n in range(4)
    ]  # fmt: skip
    await house.post("contacts", "/v1/interactions", {"items": calls})

    letter = await house.message(kari)
    batch = await house.post("messaging", "/v1/letters/batches", {"country": "NO"})

    async def is_printed():
        found = await house.get("messaging", f"/v1/letters/batches/{batch['id']}")
        return found if found["state"] == "ready" else None

    printed = await eventually(is_printed, message="the letter was not printed")
    async with house.rig.client("messaging") as client:
        pdf = await client.get(f"/v1/letters/batches/{batch['id']}/letters.pdf")
    why = await house.get("messaging", f"/v1/messages/{letter['id']}/why")
    told = await house.get("campaign", f"/v1/rules/{rule['id']}/explain/{kari}")
    others = await house.get("messaging", "/v1/messages", person_id=ola)

    assert 1 == printed["letters"]
    assert pdf.content.startswith(b"%PDF")
    assert ("rule", rule["name"]) == (why["step"]["kind"], why["step"]["name"])
    assert 3 == len(why["step"]["because"]) == len(why["step"]["facts"])
    facts = [one["facts"] for one in told["entries"][0]["clauses"]]
    assert [4, 0, 1] == [one["count"] for one in facts]
    assert [] == others["items"]


async def test_an_offer_at_arlanda_leaves_with_consent_and_within_the_hours_or_not_at_all(
    house, provider
):
    template = await house.post(
        "messaging", "/v1/sms/templates", {"name": "Kaffe", "languages": SMS}
    )
    sms = {
        "kind": "message", "purpose": "offers",
        "ways": [{"channel": "sms", "template_id": template["id"]}],
    }  # fmt: skip
    place = {"type": "context", "places": ["arn"], "within_minutes": 30}
    await house.rule({"name": "Arlanda", "on": place, "action": sms, "re_entry": "every_entry"})
    kari = await house.person("Kari", "sms", phone="+47 412 34 567")
    ola = await house.person("Ola", phone="+47 412 34 568")
    await house.rig.drain()

    async def arrive(person_id, event_id):
        told = {"event_id": event_id, "person_id": person_id, "place": "arn"}
        told["at"] = house.rig.clock.now().isoformat()
        body = {"source": "beacons", "items": [told]}
        answer = await house.post("campaign", "/v1/context-events", body)
        return [one["decision"] for one in answer["decisions"]]

    by_day = [await arrive(kari, "1"), await arrive(ola, "2")]
    sent = await house.message(kari, "allowed", "accepted")
    spared = await house.message(ola, "no_permission")
    house.rig.clock.advance(timedelta(hours=13))  # late in the evening
    by_night = await arrive(kari, "3")
    waits = await house.message(kari, "waits_for_hours")
    house.rig.clock.advance(timedelta(minutes=31))
    expired = await house.message(kari, "expired")

    assert [["fired"], ["fired"], ["fired"]] == [*by_day, by_night]
    assert "sms" == sent["channel"] == spared["channel"]
    assert waits["id"] == expired["id"]
    assert "waits_for_hours" == expired["reason"]
    assert 1 == len(provider.requests)
