"""What is done about people: once, by the channel that reaches them, with its reasons."""

from datetime import timedelta

import pytest

from campaign_svc.actions.model import Asker, Target, step_id
from campaign_svc.actions.schemas import ACTION, AskerKind
from campaign_svc.actions.usecases import act
from campaign_svc.main import SPEC
from kantis_contracts.campaign import ListingRequestedV1, StepRequestedV1
from kantis_contracts.messaging import MessageSettledV1, Settled
from kantis_kit.ids import new_id
from kantis_kit.tx import write

ASKER = Asker(AskerKind.RULE, new_id(), "Klager", 3)
MESSAGE = ACTION.validate_python(
    {
        "kind": "message",
        "ways": [
            {"channel": "sms", "template_id": str(new_id())},
            {"channel": "email", "template_id": str(new_id())},
        ],
        "valid_minutes": 1_440,
        "topic": "lamps",
    }
)


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


def target(person_id=None, occasion="1"):
    person_id = person_id or new_id()
    return Target(
        person_id, step_id(ASKER, person_id, occasion), ["mer enn tre klager"], {"complaints": "4"}
    )


async def do(rig, action, *targets):
    async with write(rig.service.scope, actor="test") as tx:
        new = await act(tx, ASKER, action, targets)
    await rig.drain()
    return new


async def ended(rig, one, channel, state, reason=""):
    item = Settled(
        message_id=new_id(), step_id=one.step_id, person_id=one.person_id, channel=channel, state=state,
        reason=reason, settled_at=rig.clock.now(),
    )  # fmt: skip
    await rig.publish(MessageSettledV1(items=(item,)), copies=2)
    await rig.drain()


async def steps(rig, **params):
    async with rig.client() as client:
        return (await client.get("/v1/steps", params=params)).json()["items"]


async def test_a_message_is_asked_for_once_with_its_reasons_however_often_the_step_comes(rig):
    one, other = target(), target()

    first = await do(rig, MESSAGE, one, other)
    again = await do(rig, MESSAGE, other, one)

    assert {one.step_id, other.step_id} == set(first)
    assert [] == again
    [told] = rig.published(StepRequestedV1)
    assert ("rule", ASKER.id, 3) == (told.asker.kind, told.asker.id, told.asker.version)
    assert ("sms", "lamps") == (told.channel.value, told.topic)
    assert rig.clock.now() + timedelta(hours=24) == told.not_after
    assert {one.person_id, other.person_id} == {item.person_id for item in told.items}
    assert {("mer enn tre klager",)} == {item.because for item in told.items}
    [shown] = await steps(rig, person_id=str(one.person_id))
    assert ("requested", "sms", {"complaints": "4"}) == (
        shown["state"], shown["channel"], shown["facts"],
    )  # fmt: skip


async def test_the_next_channel_is_tried_where_one_cannot_reach_the_person_and_none_after_doubt(
    rig,
):
    one, doubted, refused = target(), target(), target()
    await do(rig, MESSAGE, one, doubted, refused)

    await ended(rig, one, "sms", "suppressed", "no_permission")
    await ended(rig, doubted, "sms", "in_doubt", "no_answer")
    await ended(rig, refused, "sms", "suppressed", "do_not_contact")
    await ended(rig, one, "email", "accepted")

    by_mail = [event for event in rig.published(StepRequestedV1) if event.channel.value == "email"]
    assert [[one.step_id]] == [[item.step_id for item in event.items] for event in by_mail]
    shown = {row["id"]: row for row in await steps(rig, asker_id=str(ASKER.id))}
    [mailed, in_doubt, spared] = [shown[str(each.step_id)] for each in (one, doubted, refused)]
    assert ("accepted", "email", {"sms": "no_permission"}) == (
        mailed["state"], mailed["channel"], mailed["missed"],
    )  # fmt: skip
    assert ("in_doubt", "suppressed") == (in_doubt["state"], spared["state"])
    assert "do_not_contact" == spared["reason"]


async def test_a_task_waits_for_one_of_our_people_and_is_done_once(rig):
    task = ACTION.validate_python(
        {"kind": "task", "title": "Ring kunden", "team": "service", "due_hours": 4}
    )
    one = target()
    await do(rig, task, one)
    async with rig.client() as client:
        mine = (await client.get("/v1/tasks", params={"team": "service"})).json()["items"]
        others = (await client.get("/v1/tasks", params={"team": "sales"})).json()["items"]
        done = await client.post(f"/v1/tasks/{one.step_id}/done", json={"note": "ringt"})
        twice = await client.post(f"/v1/tasks/{one.step_id}/done", json={})
        unknown = await client.post(f"/v1/tasks/{new_id()}/done", json={})

    assert ([str(one.step_id)], []) == ([row["id"] for row in mine], others)
    assert (200, "done", "test-key") == (
        done.status_code, done.json()["state"], done.json()["settled_by"],
    )  # fmt: skip
    assert [(409, "task-done"), (404, "step-unknown")] == [
        (answer.status_code, answer.json()["type"].rsplit(":", 1)[-1])
        for answer in (twice, unknown)
    ]


async def test_a_tag_is_a_place_on_a_list_and_a_call_a_message_by_phone(rig):
    list_id, script = new_id(), new_id()
    tag = ACTION.validate_python({"kind": "tag", "list_segment_id": str(list_id)})
    call = ACTION.validate_python({"kind": "call_list", "template_id": str(script)})
    one, other = target(), target()

    await do(rig, tag, one)
    await do(rig, call, other)

    [listing] = rig.published(ListingRequestedV1)
    assert (list_id, [one.person_id]) == (
        listing.segment_id, [item.person_id for item in listing.items],
    )  # fmt: skip
    [calling] = rig.published(StepRequestedV1)
    assert ("phone", script) == (calling.channel.value, calling.template_id)


async def test_a_coupon_is_given_once_and_of_a_closed_series_to_nobody(rig):
    one, late = target(), target()
    spring = {"name": "Spring", "kind": "amount", "value_minor": 5000, "currency": "NOK"}
    async with rig.client() as client:
        series = (await client.post("/v1/coupon-series", json=spring)).json()
        coupon = ACTION.validate_python({"kind": "coupon", "series_id": series["id"]})
        await do(rig, coupon, one)
        await do(rig, coupon, target(one.person_id, occasion="2"))
        await client.post(f"/v1/coupon-series/{series['id']}/close")
        await do(rig, coupon, late)
        given = (await client.get(f"/v1/coupon-series/{series['id']}/codes")).json()["items"]

    assert [(str(one.person_id), "rule: Klager")] == [
        (each["person_id"], each["reason"]) for each in given
    ]
