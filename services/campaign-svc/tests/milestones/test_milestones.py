"""Milestones of customers: what each stands for, and that it comes once ever."""

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

MAIL = {"kind": "message", "ways": [{"channel": "email", "template_id": str(new_id())}]}


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


async def make(rig, when, **changes):
    async with rig.client() as client:
        body = {"name": "Milepæl", "when": when, "action": MAIL} | changes
        answer = await client.post("/v1/milestones", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    if made["segment_id"]:
        verdict = ConditionVerdict(
            rule_id=made["id"], version=1, segment_id=made["segment_id"], is_accepted=True
        )
        await rig.publish(ConditionJudgedV1(items=(verdict,)))
        await rig.drain()
    return made


async def enter(rig, made, person_id):
    move = ConditionMove(
        segment_id=made["segment_id"], person_id=person_id, change="entered", at=rig.clock.now()
    )
    await rig.publish(ConditionEnteredV1(items=(move,)), copies=2)
    await rig.drain()


@pytest.mark.parametrize(
    ("when", "condition", "again_after", "expected"),
    [
        (
            {"kind": "bought_for", "amount_minor": 1_000_000, "currency": "NOK"},
            {
                "op": "orders", "measure": "total_minor", "value": 1_000_000, "currency": "NOK",
                "paid_only": True,
            },
            800,
            1,
        ),
        (
            {"kind": "years_a_customer", "years": 10},
            {"op": "anniversary", "of": "first_order", "years": [10]},
            800,
            1,
        ),
        (
            {"kind": "birthday", "field": "born"},
            {"op": "anniversary", "of": "field", "key": "born", "years": []},
            365,
            2,
        ),
        (
            {"kind": "birthday", "field": "born", "years": 50},
            {"op": "anniversary", "of": "field", "key": "born", "years": [50]},
            365,
            1,
        ),
    ],
    ids=["bought_for", "years", "birthday", "fiftieth"],
)  # fmt: skip
async def test_a_milestone_is_a_condition_and_comes_as_often_as_it_can(
    rig, when, condition, again_after, expected
):
    made = await make(rig, when)
    kari = new_id()
    await enter(rig, made, kari)
    rig.clock.advance(timedelta(days=1))
    await enter(rig, made, kari)
    rig.clock.advance(timedelta(days=again_after))
    await enter(rig, made, kari)

    [card] = rig.items(RuleChangedV1)
    assert (condition, False) == (card.condition, card.tells_present)
    asked = rig.published(StepRequestedV1)
    assert expected == len(asked)
    assert {"milestone"} == {one.asker.kind for one in asked}
    async with rig.client() as client:
        told = (await client.get(f"/v1/milestones/{made['id']}/explain/{kari}")).json()
    assert expected == [one["decision"] for one in told["entries"]].count("fired")


async def test_each_quarterly_result_is_congratulated_on_once(rig):
    await make(rig, {"kind": "company_event", "event_kind": "quarterly_result"})
    firm, kari = new_id(), new_id()
    link = LinkCard(link_id=new_id(), version=1, organisation_id=firm, person_id=kari, role="cfo")
    await rig.publish(LinkChangedV1(items=(link,)))
    await rig.drain()
    async with rig.client() as client:
        for quarter in ("q3", "q3", "q4"):
            news = {
                "event_id": quarter, "organisation_id": str(firm), "kind": "quarterly_result",
                "title": quarter, "at": rig.clock.now().isoformat(),
            }  # fmt: skip
            told = await client.post("/v1/company-events", json={"source": "feed", "items": [news]})
            assert 202 == told.status_code, told.text
    await rig.drain()

    assert [["q3"], ["q4"]] == [
        [step.facts["title"] for step in one.items] for one in rig.published(StepRequestedV1)
    ]


async def test_milestones_and_rules_are_kept_apart_and_a_milestone_ends(rig):
    made = await make(rig, {"kind": "years_a_customer", "years": 1})
    async with rig.client() as client:
        as_rule = await client.get(f"/v1/rules/{made['id']}")
        listed = (await client.get("/v1/milestones")).json()["items"]
        rules = (await client.get("/v1/rules")).json()["items"]
        gone = await client.delete(f"/v1/milestones/{made['id']}")
        shown = (await client.get(f"/v1/milestones/{made['id']}")).json()
        wrong = await client.post(
            "/v1/milestones",
            json={"name": "M", "when": {"kind": "bought_for", "amount_minor": 0}, "action": MAIL},
        )

    assert (404, 204, "ended") == (as_rule.status_code, gone.status_code, shown["state"])
    assert ([made["id"]], []) == ([one["id"] for one in listed], rules)
    assert 422 == wrong.status_code
    assert "amount_minor" in wrong.json()["detail"]
