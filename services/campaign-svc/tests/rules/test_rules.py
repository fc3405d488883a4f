"""Business rules: judged by the register, fired once, held back with a reason, explained, rehearsed."""

from datetime import timedelta

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.campaign import (
    RehearsalRequestedV1,
    RuleChangedV1,
    StepRequestedV1,
)
from kantis_contracts.contacts import (
    ClauseFacts,
    ConditionEnteredV1,
    ConditionJudgedV1,
    ConditionMove,
    ConditionVerdict,
    RehearsalCountedV1,
    RehearsedEntry,
)
from kantis_kit.ids import new_id

CONDITION = {"op": "interactions", "kinds": ["complaint"], "value": 4}
NOBODY = "00000000-0000-7000-8000-000000000000"
LETTER = {"kind": "message", "ways": [{"channel": "letter", "template_id": str(new_id())}]}
REASON = "The lamp may catch fire"
NOTICE = LETTER | {"message_class": "service", "class_reason": REASON}
CLAUSES = (
    ClauseFacts(clause="complaint at least 4", holds=True, facts={"count": 4, "newest_ids": []}),
    ClauseFacts(clause="visits at most 4", holds=False, facts={"count": 9}),
)


def rule(**changes):
    body = {
        "name": "Klager", "on": {"type": "segment", "condition": CONDITION}, "action": LETTER,
        "re_entry": "every_entry", "cool_down_hours": 48, "priority": 70,
    }  # fmt: skip
    return body | changes


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


@pytest.fixture
async def client(rig):
    async with rig.client() as found:
        yield found


async def make(client, **changes):
    answer = await client.post("/v1/rules", json=rule(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def judge(rig, made, **changes):
    values = {
        "rule_id": made["id"], "version": made["version"], "segment_id": made["segment_id"],
        "is_accepted": True, "in_words": "complaint at least 4", "reads": ("interactions",),
    }  # fmt: skip
    verdict = ConditionVerdict(**(values | changes))
    await rig.publish(ConditionJudgedV1(items=(verdict,)), copies=2)
    await rig.drain()


async def enter(rig, made, *people, at=None, change="entered"):
    moves = tuple(
        ConditionMove(
            segment_id=made["segment_id"], person_id=one, change=change, at=at or rig.clock.now(),
            clauses=CLAUSES,
        )
        for one in people
    )  # fmt: skip
    await rig.publish(ConditionEnteredV1(items=moves), copies=2)
    await rig.drain()


def slug(answer):
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[-1]


async def test_a_rule_begins_when_the_register_accepts_its_condition_and_acts_on_entry_once(
    rig, client
):
    made = await make(client)
    kari = new_id()
    await enter(rig, made, kari)
    before = rig.published(StepRequestedV1)
    await judge(rig, made)
    shown = (await client.get(f"/v1/rules/{made['id']}")).json()
    await enter(rig, made, kari)
    await enter(rig, made, new_id(), change="left")

    assert ("checking", "active") == (made["state"], shown["state"])
    [told] = rig.items(RuleChangedV1)
    assert (CONDITION, False, True) == (told.condition, told.tells_present, told.is_active)
    assert [] == before
    [asked] = rig.published(StepRequestedV1)
    assert ("letter", 70, "Klager") == (asked.channel.value, asked.priority, asked.asker.name)
    [step] = asked.items
    assert (kari, ("complaint at least 4",)) == (step.person_id, step.because)
    assert "count 4" == step.facts["complaint at least 4"]


async def test_a_service_says_so_and_why_with_each_step_that_it_asks_for(rig, client):
    made = await make(client, action=NOTICE)
    await judge(rig, made)
    kari = new_id()
    await enter(rig, made, kari)
    told = (await client.get(f"/v1/rules/{made['id']}/explain/{kari}")).json()

    [asked] = rig.published(StepRequestedV1)
    assert ("service", REASON) == (asked.message_class.value, asked.class_reason)
    [step] = told["steps"]
    assert ("service", REASON) == (step["action"]["message_class"], step["action"]["class_reason"])


async def test_cool_down_and_pause_hold_it_back_and_explain_tells_with_the_facts_of_then(
    rig, client
):
    made = await make(client)
    await judge(rig, made)
    kari, ola = new_id(), new_id()
    await enter(rig, made, kari)
    rig.clock.advance(timedelta(minutes=5))
    await enter(rig, made, kari)
    async with rig.client() as later:
        paused = await later.post(f"/v1/rules/{made['id']}/pause")
        await enter(rig, made, ola)
        resumed = await later.post(f"/v1/rules/{made['id']}/resume")
    rig.clock.advance(timedelta(hours=48))
    await enter(rig, made, kari)

    path = f"/v1/rules/{made['id']}/explain"
    async with rig.client() as later:
        told, held, never = [
            (await later.get(f"{path}/{one}")).json() for one in (kari, ola, new_id())
        ]
        fired = (await later.get(f"/v1/rules/{made['id']}/entries?decision=fired")).json()
    assert ("paused", "active") == (paused.json()["state"], resumed.json()["state"])
    assert ["fired", "cooling_down", "fired"] == [one["decision"] for one in told["entries"]]
    assert CLAUSES[0].model_dump() == told["entries"][-1]["clauses"][0]
    assert 2 == len(told["steps"]) == len(fired)
    assert ["paused"] == [one["decision"] for one in held["entries"]]
    assert ([], []) == (never["entries"], never["steps"])
    assert f"/v1/segments/{made['segment_id']}/explain/" in never["sentence"]


async def test_a_condition_that_the_register_refuses_leaves_the_rule_refused_with_its_words(
    rig, client
):
    made = await make(client)
    await judge(rig, made, is_accepted=False, problem="There is no list x")
    await enter(rig, made, new_id())
    shown = (await client.get(f"/v1/rules/{made['id']}")).json()
    resumed = await client.post(f"/v1/rules/{made['id']}/resume")
    mended = await client.put(
        f"/v1/rules/{made['id']}", json=rule(name="Mer"), headers={"If-Match": '"1"'}
    )

    assert ("refused", "There is no list x") == (shown["state"], shown["problem"])
    assert (409, "rule-not-ready") == slug(resumed)
    assert [] == rig.published(StepRequestedV1)
    assert ("checking", 2) == (mended.json()["state"], mended.json()["version"])
    assert made["segment_id"] == mended.json()["segment_id"]


async def test_a_rule_that_triggers_itself_is_refused_at_once_or_when_the_register_knows_it(
    rig, client
):
    list_id = str(new_id())
    tag = {"kind": "tag", "list_segment_id": list_id}
    reads = {"type": "segment", "condition": {"op": "on_list", "list_id": list_id}}
    free = {"action": tag, "cool_down_hours": 0}

    at_once = await client.post("/v1/rules", json=rule(on=reads, **free))
    braked = await client.post("/v1/rules", json=rule(on=reads, action=tag, re_entry="once"))
    named = await make(client, on={"type": "segment", "segment_id": str(new_id())}, **free)
    await judge(rig, named, reads=("on_list",), lists=(list_id,))
    later = (await client.get(f"/v1/rules/{named['id']}")).json()

    assert (409, "rule-triggers-itself") == slug(at_once)
    assert "cool_down_hours" in at_once.json()["detail"]
    assert 201 == braked.status_code
    assert "refused" == later["state"]
    assert "asks for what it changes itself" in later["problem"]
    assert not rig.items(RuleChangedV1)[-1].is_active


async def test_a_rule_that_has_ended_does_nothing_and_its_condition_is_no_longer_kept(rig, client):
    made = await make(client)
    await judge(rig, made)
    gone = await client.delete(f"/v1/rules/{made['id']}")
    again = await client.delete(f"/v1/rules/{made['id']}")
    await enter(rig, made, new_id())
    changed = await client.put(f"/v1/rules/{made['id']}", json=rule(), headers={"If-Match": '"2"'})

    assert [204, 204] == [gone.status_code, again.status_code]
    assert [True, False] == [one.is_active for one in rig.items(RuleChangedV1)]
    assert [] == rig.published(StepRequestedV1)
    assert (409, "rule-ended") == slug(changed)


async def test_a_rehearsal_tells_who_would_have_been_acted_about_and_what_would_have_held_it_back(
    rig, client
):
    made = await make(client, is_paused=True)
    early = await client.post(f"/v1/rules/{made['id']}/rehearsals", json={"days": 10})
    await judge(rig, made)
    asked = (await client.post(f"/v1/rules/{made['id']}/rehearsals", json={"days": 10})).json()
    await rig.drain()
    [question] = rig.items(RehearsalRequestedV1)
    kari, now = new_id(), rig.clock.now()
    moments = [now - timedelta(days=9), now - timedelta(days=8), now - timedelta(days=1)]
    answer = {
        "rehearsal_id": question.rehearsal_id, "rule_id": made["id"], "entries": 3, "listed": 3,
        "as_now": ("country is NO",),
    }  # fmt: skip
    parts = [
        RehearsalCountedV1(items=(RehearsedEntry(person_id=kari, at=at),), **answer)
        for at in reversed(moments)
    ]
    await rig.publish(parts[0])
    await rig.drain()
    path = f"/v1/rules/{made['id']}/rehearsals/{asked['id']}"
    partly = (await client.get(path)).json()
    await rig.publish(*parts[1:], copies=2)
    await rig.drain()
    told = (await client.get(path)).json()

    assert (409, "rule-not-ready") == slug(early)
    assert timedelta(days=10) == question.until - question.since
    assert ("counting", None) == (partly["state"], partly["fired"])
    assert ("done", 3, 2, {"cooling_down": 1}) == (
        told["state"], told["entries"], told["fired"], told["held_back"],
    )  # fmt: skip
    assert [str(kari)] * 2 == [one["person_id"] for one in told["would_fire"]]
    assert ["country is NO"] == told["as_now"]
    assert [] == rig.published(StepRequestedV1)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"on": {"type": "segment"}}, "give one of them"),
        ({"on": {"type": "segment", "segment_id": str(new_id()), "includes_present": True}}, "includes_present"),
        ({"action": LETTER | {"ways": LETTER["ways"] * 2}}, "stands there twice"),
        ({"action": LETTER | {"message_class": "service"}}, "class_reason"),
        ({"action": LETTER | {"message_class": "dunning"}}, "message_class"),
        ({"action": NOTICE | {"message_class": "transactional"}}, "it allows service"),
        ({"on": {"type": "context"}, "action": NOTICE}, "a context trigger is no reason"),
        ({"on": {"type": "company", "kind": "result"}, "action": NOTICE}, "it allows advertising alone"),
        ({"valid_from": "2026-05-01T00:00:00Z", "valid_to": "2026-04-01T00:00:00Z"}, "valid_to"),
        ({"cool_down_hours": -1}, "cool_down_hours"),
    ],
    ids=["no_condition", "present_of_another", "twice", "no_reason", "dunning", "nothing_asked_for", "a_place", "a_company", "backwards", "negative"],
)  # fmt: skip
async def test_what_cannot_be_a_rule_is_refused_with_what_is_wrong(client, changes, word):
    answer = await client.post("/v1/rules", json=rule(**changes))

    assert 422 == answer.status_code
    assert word in answer.text


@pytest.mark.parametrize(
    "action",
    [{"kind": "coupon", "series_id": NOBODY}, {"kind": "programme", "programme_id": NOBODY}],
    ids=["coupon", "programme"],
)
async def test_an_action_that_names_what_is_not_there_is_refused_before_anything_rests_on_it(
    client, action
):
    answer = await client.post("/v1/rules", json=rule(action=action))

    assert (409, "action-not-available") == slug(answer)
    assert action["kind"] in answer.json()["detail"]
