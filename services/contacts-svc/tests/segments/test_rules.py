"""Segments on which rules of campaign-svc act: made and judged here; who comes is told with the facts."""

from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.campaign import (
    Listing,
    ListingRequestedV1,
    Rehearsal,
    RehearsalRequestedV1,
    RuleCard,
    RuleChangedV1,
    StepAsker,
)
from kantis_contracts.contacts import (
    ConditionEnteredV1,
    ConditionJudgedV1,
    RehearsalCountedV1,
    SegmentChangedV1,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

CALLS = {"op": "interactions", "kinds": ["complaint"], "value": 2, "within_days": 30}
COMPLAINERS = {"op": "all", "of": [CALLS, {"op": "country", "is_in": ["NO"]}]}


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


def card(condition=None, **changes):
    values = {
        "rule_id": new_id(), "version": 1, "name": "Klager", "segment_id": new_id(),
        "condition": condition,
    }  # fmt: skip
    return RuleCard(**(values | changes))


async def tell(rig, *cards):
    await rig.publish(RuleChangedV1(items=cards), copies=2)
    await rig.drain()


async def built(rig, segment_id):
    async def is_built():
        async with rig.client() as client:
            found = (await client.get(f"/v1/segments/{segment_id}")).json()
        return found["membership"]["is_built"] and found

    return await eventually(is_built, message="the segment was not built")


async def person(client, name):
    body = {"full_name": name, "email": f"{name}@example.com", "country": "NO"}
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def complain(client, person_id, *moments):
    items = [
        {
            "contact_id": person_id,
            "kind": "complaint",
            "occurred_at": at.isoformat(),
            "source": "phone",
        }
        for at in moments
    ]
    answer = await client.post("/v1/interactions", json={"items": items})
    assert answer.is_success, answer.text


async def test_a_rule_has_a_live_segment_that_tells_who_comes_with_clauses_and_facts(rig):
    rule = card(COMPLAINERS)
    async with rig.client() as client:
        kari = await person(client, "kari")
        await tell(rig, rule)
        shown = await built(rig, rule.segment_id)
        now = rig.clock.now()
        await complain(client, kari, now - timedelta(days=2), now - timedelta(days=1))

    [verdict] = rig.items(ConditionJudgedV1)
    assert (True, ("all", "country", "interactions")) == (verdict.is_accepted, verdict.reads)
    assert ("Rule: Klager", "nothing") == (shown["name"], shown["announces"])

    async def moves():
        await rig.drain()
        return rig.items(ConditionEnteredV1)

    [move] = await eventually(moves, message="nobody came")
    assert (rule.segment_id, kari) == (move.segment_id, str(move.person_id))
    told = {one.clause: one for one in move.clauses}
    assert all(one.holds for one in told.values())
    [calls] = [one.facts for clause, one in told.items() if "complaint" in clause]
    assert (2, 2) == (calls["count"], len(calls["newest_ids"]))


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ({"op": "weather", "is": "bad"}, "condition"),
        ({"op": "on_list", "list_id": str(new_id())}, "There is no segment"),
        (None, "There is no such segment"),
    ],
    ids=["no_clause", "unknown_list", "unknown_segment"],
)
async def test_a_condition_that_cannot_be_is_refused_and_the_answer_says_why(rig, condition, word):
    await tell(rig, card(condition))

    [verdict] = rig.items(ConditionJudgedV1)
    assert not verdict.is_accepted
    assert word in verdict.problem


async def test_a_rule_that_ends_takes_its_own_segment_with_it_and_an_old_card_changes_nothing(rig):
    rule = card(COMPLAINERS)
    await tell(rig, rule)
    await tell(rig, rule.model_copy(update={"version": 3, "is_active": False}))
    await tell(rig, rule.model_copy(update={"version": 2}))
    async with rig.client() as client:
        gone = await client.get(f"/v1/segments/{rule.segment_id}")

    assert 404 == gone.status_code
    assert 1 == len(rig.items(ConditionJudgedV1))


async def test_whoever_follows_the_members_is_told_who_is_there_and_who_leaves_as_of_any_segment(
    rig,
):
    rule = card({"op": "country", "is_in": ["NO"]}, follows_members=True)
    async with rig.client() as client:
        kari = await person(client, "kari")
        await tell(rig, rule)
        await built(rig, rule.segment_id)
        left = await client.patch(
            f"/v1/contacts/{kari}", json={"country": "SE"}, headers={"If-Match": "*"}
        )
        assert left.is_success, left.text

    async def moves():
        await rig.drain()
        told = [one for one in rig.items(SegmentChangedV1) if one.person_id]
        return len(told) > 1 and [(str(one.person_id), one.change.value) for one in told]

    assert [(kari, "entered"), (kari, "left")] == await eventually(moves, message="nobody has left")
    assert not rig.items(ConditionEnteredV1)


async def test_a_rehearsal_tells_who_would_have_come_on_which_day_and_what_it_took_from_today(rig):
    rule = card(COMPLAINERS)
    now = rig.clock.now()
    asked = Rehearsal(
        rehearsal_id=new_id(), rule_id=rule.rule_id, segment_id=rule.segment_id,
        since=now - timedelta(days=5), until=now,
    )  # fmt: skip
    async with rig.client() as client:
        kari, ola = await person(client, "kari"), await person(client, "ola")
        pool = await rig.service.database.pool()
        await pool.execute("UPDATE person SET created_at = $1", now - timedelta(days=90))
        await complain(client, kari, now - timedelta(days=20), now - timedelta(days=3, hours=1))
        await complain(client, ola, now - timedelta(days=1))
    await tell(rig, rule)
    await rig.publish(RehearsalRequestedV1(items=(asked,)))
    await rig.drain()

    [event] = rig.published(RehearsalCountedV1)
    assert (1, 1, ("country is NO",)) == (event.entries, event.listed, event.as_now)
    assert [(kari, now - timedelta(days=3)), (None, now)] == [
        (str(one.person_id) if one.person_id else None, one.at) for one in event.items
    ]


async def test_a_rule_s_tag_puts_who_is_there_on_the_list_and_nobody_on_a_condition(rig):
    asker = StepAsker(kind="rule", id=new_id(), name="Klager", version=1)
    async with rig.client() as client:
        kari = await person(client, "kari")
        made = [
            (await client.post("/v1/segments", json=body)).json()["id"]
            for body in (
                {"name": "Liste", "kind": "list"},
                {"name": "Land", "condition": {"op": "country", "is_in": ["SE"]}},
            )
        ]
        for segment_id in made:
            items = tuple(Listing(person_id=one, step_id=new_id()) for one in (kari, new_id()))
            await rig.publish(
                ListingRequestedV1(segment_id=segment_id, asker=asker, items=items), copies=2
            )
        await rig.drain()
        members = [
            [
                one["person_id"]
                for one in (await client.get(f"/v1/segments/{one}/members")).json()["items"]
            ]
            for one in made
        ]

    assert [[kari], []] == members


async def test_what_was_closed_is_opened_again_and_everybody_in_it_is_told_anew(rig):
    rule = card({"op": "country", "is_in": ["NO"]}, follows_members=True)
    async with rig.client() as client:
        kari = await person(client, "kari")
        await tell(rig, rule)
        await built(rig, rule.segment_id)
        await tell(rig, rule.model_copy(update={"version": 2, "is_active": False}))
        pool = await rig.service.database.pool()

        async def is_forgotten():
            count = "SELECT count(*) = 0 FROM segment_state WHERE segment_id = $1"
            return await pool.fetchval(count, rule.segment_id)

        await eventually(is_forgotten, message="the members were not forgotten")
        rig.clock.advance(timedelta(hours=1))
    await tell(rig, rule.model_copy(update={"version": 3}))
    await built(rig, rule.segment_id)
    await rig.drain()

    assert [True, True] == [one.is_accepted for one in rig.items(ConditionJudgedV1)]
    told = [
        (event.revision, str(one.person_id))
        for event in rig.published(SegmentChangedV1)
        for one in event.items
        if one.change.value == "entered"
    ]
    assert [kari, kari] == [one for _, one in told]
    assert told[0][0] < told[1][0]
