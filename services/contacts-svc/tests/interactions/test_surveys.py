"""Answers to surveys and memberships on the timeline, with what was learned by them."""

from contacts_svc.main import SPEC
from kantis_contracts.campaign import (
    MemberChanged,
    MemberChangedV1,
    SurveyAnswered,
    SurveyAnsweredV1,
)
from kantis_kit.ids import new_id

WORDS = dict.fromkeys(("nb", "sv", "da", "fi", "en"), "too dear")


async def test_an_answer_comes_onto_the_timeline_once_and_its_words_become_insights(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        body = {"full_name": "Kari Nes", "phone": "+4740000001"}
        kari = (await client.post("/v1/contacts", json=body)).json()["id"]
        term = {"key": "too_dear", "kind": "objection", "words": WORDS}
        assert 201 == (await client.post("/v1/insights/terms", json=term)).status_code
        told = SurveyAnswered(
            answer_id=new_id(), survey_id=new_id(), survey_name="After the purchase", person_id=kari, way="link",
            scores={"recommend": 3, "taste": 5}, terms=("too_dear", "garden"), text="Ring 010190 12480",
            answered_at=rig.clock.now(),
        )  # fmt: skip
        gone = told.model_copy(update={"answer_id": new_id(), "person_id": new_id()})
        for _ in range(2):
            await rig.publish(SurveyAnsweredV1(items=(told, gone)))
        await rig.drain()

        (kept,) = (await client.get(f"/v1/contacts/{kari}/interactions")).json()["items"]
        known = (await client.get(f"/v1/contacts/{kari}/insights")).json()["items"]
        line = (await client.get(f"/v1/contacts/{kari}/timeline")).text

    assert ("reply", "in", "After the purchase", "recommend 3, taste 5") == tuple(
        kept[name] for name in ("kind", "direction", "topic", "outcome")
    )
    assert "010190" not in kept["text"]
    assert [("too_dear", "survey")] == [(one["term"], one["source"]) for one in known]
    assert "After the purchase" in line


async def test_who_joins_the_club_and_leaves_it_has_both_on_the_timeline_once_and_no_consent(
    rig_for,
):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        body = {"full_name": "Kari Nes", "phone": "+4740000001"}
        kari = (await client.post("/v1/contacts", json=body)).json()["id"]
        joined = MemberChanged(
            number="AAAAAAAAA2", person_id=kari, is_member=True, terms_version=1, place="Bergen",
            changed_at=rig.clock.now(),
        )  # fmt: skip
        left = joined.model_copy(update={"is_member": False})
        gone = joined.model_copy(update={"person_id": new_id()})
        for _ in range(2):
            await rig.publish(MemberChangedV1(items=(joined, gone)), MemberChangedV1(items=(left,)))
        await rig.drain()

        kept = (await client.get(f"/v1/contacts/{kari}/interactions")).json()["items"]
        consents = (await client.get(f"/v1/contacts/{kari}/permissions")).json()

    assert {("context", "club", "joined", "Bergen"), ("context", "club", "left", "Bergen")} == {
        tuple(one[name] for name in ("kind", "topic", "outcome", "place")) for one in kept
    }
    assert 2 == len(kept)
    assert "granted" not in f"{consents}"
