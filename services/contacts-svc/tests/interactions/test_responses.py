"""What people wrote with their answers to pieces: on the timeline, on the card, or a task for somebody."""

from datetime import timedelta

from contacts_svc.main import SPEC
from kantis_contracts.orders import (
    AddressCorrected,
    AddressCorrectedV1,
    AnswerDeadline,
    DeadlineMissedV1,
    DeadlineNearedV1,
    QuestionAnswer,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_kit.ids import new_id

WORDS = dict.fromkeys(("nb", "sv", "da", "fi", "en"), "children")
HOME = {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}


async def test_answers_corrections_and_deadlines_reach_the_person(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        body = {"full_name": "Kari Nes", "phone": "+4740000001", "address": HOME}
        kari = (await client.post("/v1/contacts", json=body)).json()["id"]
        term = {"key": "has_children", "kind": "need", "words": WORDS}
        assert 201 == (await client.post("/v1/insights/terms", json=term)).status_code
        now, answered = rig.clock.now(), new_id()
        told = ResponseRegistered(
            response_id=answered, kind=ResponseKind.ORDER, way=ResponseWay.KEYED, response_code="ABCDE2",
            person_id=kari, responded_at=now, answers=(
                QuestionAnswer(question="children", answer="two", term="has_children"),
                QuestionAnswer(question="garden", answer="no", term="unheard_of"),
            ),
        )  # fmt: skip
        gone = told.model_copy(update={"response_id": new_id(), "person_id": new_id()})
        moved = AddressCorrected(
            response_id=answered, person_id=kari, street="Nygata 2", country="NO", corrected_at=now
        )
        nowhere = moved.model_copy(
            update={
                "response_id": new_id(),
                "postal_code": "99",
                "corrected_at": now + timedelta(seconds=1),
            }
        )
        late = AnswerDeadline(
            response_id=answered, kind=ResponseKind.ORDER, next_step="ship_order", person_id=kari, due_at=now
        )  # fmt: skip
        for _ in range(2):
            await rig.publish(
                ResponseRegisteredV1(items=(told, gone)),
                AddressCorrectedV1(items=(moved,)),
                DeadlineNearedV1(items=(late,)),
            )
            await rig.drain()
        await rig.publish(AddressCorrectedV1(items=(nowhere,)), DeadlineMissedV1(items=(late,)))
        await rig.drain()

        lines = (await client.get(f"/v1/contacts/{kari}/interactions")).json()["items"]
        known = (await client.get(f"/v1/contacts/{kari}/insights")).json()["items"]
        card = (await client.get(f"/v1/contacts/{kari}")).json()

    assert ["children: two\ngarden: no"] == [one["text"] for one in lines if one["kind"] == "reply"]
    assert [("has_children", "campaign")] == [(one["term"], one["source"]) for one in known]
    assert {**HOME, "street": "Nygata 2", "country": "NO"} == {
        name: card["address"][name] for name in (*HOME, "country")
    }
    tasks = {one["topic"]: one["text"] for one in lines if one["kind"] == "task"}
    assert {
        "due soon: ship_order",
        "late: ship_order",
        "look at the corrected address",
    } == tasks.keys()
    assert "four digits" in tasks["look at the corrected address"]
