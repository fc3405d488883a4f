"""What is told of people's situation and of organisations: rules that wait for it act at once, and once."""

from datetime import timedelta

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.campaign import RuleChangedV1, StepRequestedV1
from kantis_contracts.contacts import (
    ConditionEnteredV1,
    ConditionJudgedV1,
    ConditionMove,
    ConditionVerdict,
    LinkCard,
    LinkChangedV1,
)
from kantis_kit.ids import new_id

SMS = {"kind": "message", "ways": [{"channel": "sms", "template_id": str(new_id())}]}


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


@pytest.fixture
async def client(rig):
    async with rig.client() as found:
        yield found


async def make(client, on, **changes):
    body = {"name": "Arlanda", "on": on, "action": SMS, "re_entry": "every_entry"} | changes
    answer = await client.post("/v1/rules", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def at_arlanda(rig, person_id, event_id="1", *, place="arn", ago=timedelta()):
    at = (rig.clock.now() - ago).isoformat()
    return {"event_id": event_id, "person_id": str(person_id), "place": place, "at": at}


async def tell(client, *items):
    return await client.post("/v1/context-events", json={"source": "beacons", "items": list(items)})


def decisions(answer):
    return [one["decision"] for one in answer.json()["decisions"]]


async def test_a_place_is_acted_on_at_once_and_once_and_its_message_does_not_outlive_it(
    rig, client
):
    made = await make(client, {"type": "context", "places": ["arn"], "within_minutes": 20})
    kari = new_id()

    first = await tell(client, at_arlanda(rig, kari), at_arlanda(rig, kari, "2", place="osl"))
    again = await tell(client, at_arlanda(rig, kari))
    late = await tell(client, at_arlanda(rig, kari, "3", ago=timedelta(minutes=21)))
    await rig.drain()

    assert ("active", 202) == (made["state"], first.status_code)
    assert (["fired"], [], ["too_late"]) == (decisions(first), decisions(again), decisions(late))
    [asked] = rig.published(StepRequestedV1)
    assert ("sms", kari) == (asked.channel.value, asked.items[0].person_id)
    assert ("place is arn",) == asked.items[0].because
    assert rig.clock.now() + timedelta(minutes=20) == asked.not_after


async def test_a_condition_beside_the_place_is_asked_of_what_the_register_has_told(rig, client):
    on = {"type": "context", "condition": {"op": "lifecycle", "is_in": ["active"]}}
    made = await make(client, on)
    kari, ola = new_id(), new_id()
    verdict = ConditionVerdict(
        rule_id=made["id"], version=1, segment_id=made["segment_id"], is_accepted=True
    )
    await rig.publish(ConditionJudgedV1(items=(verdict,)))
    await rig.drain()
    for change, minutes in (("left", 2), ("entered", 1)):  # in the wrong order: the later one holds
        moves = tuple(
            ConditionMove(
                segment_id=made["segment_id"],
                person_id=one,
                change=way,
                at=rig.clock.now() + timedelta(minutes=when),
            )
            for one, way, when in ((kari, change, -minutes), (ola, change, minutes - 3))
        )
        await rig.publish(ConditionEnteredV1(items=moves))
        await rig.drain()

    told = await tell(client, at_arlanda(rig, kari), at_arlanda(rig, ola, "2"))

    [card] = rig.items(RuleChangedV1)
    assert card.tells_present
    by_person = {one["person_id"]: one["decision"] for one in told.json()["decisions"]}
    assert {str(kari): "fired", str(ola): "not_true"} == by_person


async def test_news_of_an_organisation_reach_those_who_may_be_approached_in_their_role(rig, client):
    await make(client, {"type": "company", "kind": "quarterly_result", "roles": ["buyer"]})
    firm, kari, ola, per = (new_id() for _ in range(4))
    roles = (
        {"person_id": kari, "role": "buyer"},
        {"person_id": ola, "role": "buyer", "do_not_contact": True},
        {"person_id": per, "role": "cook"},
    )
    links = tuple(
        LinkCard(link_id=new_id(), version=1, organisation_id=firm, **one) for one in roles
    )
    await rig.publish(LinkChangedV1(items=links), copies=2)
    await rig.drain()
    news = {
        "event_id": "q3", "organisation_id": str(firm), "kind": "quarterly_result",
        "title": "Rekordkvartal", "at": rig.clock.now().isoformat(),
    }  # fmt: skip

    answers = [
        await client.post("/v1/company-events", json={"source": "feed", "items": [news]})
        for _ in range(2)
    ]
    await rig.drain()

    assert [["fired"], []] == [decisions(one) for one in answers]
    [asked] = rig.published(StepRequestedV1)
    assert [kari] == [one.person_id for one in asked.items]
    assert "Rekordkvartal" == asked.items[0].facts["title"]


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        ({"at": "2027-01-01T00:00:00Z"}, 422, "items.0.at"),
        ({"at": "2026-03-02T09:00:00"}, 422, "items.0.at"),
        ({"place": "Arlanda T5!"}, 422, "items.0.place"),
        ({"event_id": ""}, 422, "items.0.event_id"),
    ],
    ids=["future", "no_offset", "no_key", "no_id"],
)
async def test_what_cannot_be_told_is_refused_with_its_place(rig, client, changes, status, word):
    answer = await tell(client, at_arlanda(rig, new_id()) | changes)

    assert status == answer.status_code
    assert word in answer.json()["detail"]


async def test_who_may_only_read_tells_nothing(rig):
    async with rig.client(scopes=["campaign:read"]) as reader:
        assert 403 == (await tell(reader, at_arlanda(rig, new_id()))).status_code
