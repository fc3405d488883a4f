"""What people write becomes a response with a next step, once, and is done when they were answered."""

from datetime import timedelta
from typing import Any

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.messaging import Reply, ReplyAnswered, ReplyAnsweredV1, ReplyReceivedV1
from kantis_contracts.orders import ResponseRegisteredV1
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

STEPS = "SELECT kind, way, state, next_step FROM response ORDER BY responded_at, kind"


def reply(desk: Any, person_id: Any, conversation_id: Any, **given: Any) -> ReplyReceivedV1:
    values = {
        "reply_id": new_id(), "person_id": person_id, "channel": Channel.EMAIL, "kind": "inquiry",
        "conversation_id": conversation_id, "opens_conversation": True, "received_at": desk.rig.clock.now(),
    }  # fmt: skip
    return ReplyReceivedV1(items=(Reply(**(values | given)),))


def answered(desk: Any, conversation_id: Any) -> ReplyAnsweredV1:
    at = desk.rig.clock.now() + timedelta(minutes=5)
    return ReplyAnsweredV1(items=(ReplyAnswered(conversation_id=conversation_id, answered_at=at),))


@pytest.mark.parametrize(
    "is_answered_first", [False, True], ids=["in order", "the other way round"]
)
async def test_a_mail_is_an_inquiry_until_it_is_answered(desk, is_answered_first):
    person, chat = desk.person(), new_id()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    came, went = reply(desk, person.person_id, chat), answered(desk, chat)

    await desk.rig.publish(went if is_answered_first else came, copies=2)
    await desk.drain()
    first = await desk.rows(STEPS)
    await desk.rig.publish(came if is_answered_first else went, copies=2)
    await desk.drain()

    waiting = [("inquiry", "web", "open", "answer_inquiry")]
    assert ([] if is_answered_first else waiting) == first
    assert [("inquiry", "web", "answered", "done")] == await desk.rows(STEPS)
    (told,) = desk.rig.items(ResponseRegisteredV1)
    assert person.person_id == told.person_id


async def test_only_what_begins_to_wait_or_orders_is_a_response(desk):
    person, chat = desk.person(), new_id()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.rig.publish(
        reply(desk, person.person_id, chat),
        reply(desk, person.person_id, chat, opens_conversation=False),
        reply(desk, person.person_id, chat, kind="stop"),
        reply(desk, None, new_id()),
        reply(
            desk,
            person.person_id,
            chat,
            kind="order",
            channel=Channel.SMS,
            opens_conversation=False,
        ),
        answered(desk, chat),
    )
    await desk.drain()

    assert [
        ("inquiry", "web", "answered", "done"),
        ("order", "phone", "open", "choose_product"),
    ] == await desk.rows(STEPS)


async def test_a_message_after_the_answer_is_due_again_and_one_of_somebody_erased_is_none(desk):
    person, gone, chat = desk.person(), desk.person(is_erased=True), new_id()
    await desk.rig.publish(PersonChangedV1(items=(person, gone)))
    await desk.drain()
    await desk.rig.publish(answered(desk, chat))
    desk.rig.clock.advance(timedelta(hours=1))
    await desk.rig.publish(
        reply(desk, person.person_id, chat), reply(desk, gone.person_id, new_id())
    )
    await desk.drain()

    assert [("inquiry", "web", "open", "answer_inquiry")] == await desk.rows(STEPS)
