"""Calls of a campaign on the timeline, with what was learned in them; and what callers are told of people."""

from contacts_svc.main import SPEC
from kantis_contracts.contacts import InsightChangedV1, LinkChangedV1
from kantis_contracts.messaging import CallEnd, CallEndedV1, Learned
from kantis_kit.ids import new_id

WORDS = dict.fromkeys(("nb", "sv", "da", "fi", "en"), "warm light")


async def make(client, path, body):
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_call_comes_onto_the_timeline_once_with_what_was_learned_and_what_is_to_be_done(
    rig_for,
):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    async with rig.client(caller="phones") as client:
        kari = await make(client, "/v1/contacts", {"full_name": "Kari Nes", "phone": "+4740000001"})
        await make(
            client, "/v1/insights/terms", {"key": "warm_light", "kind": "need", "words": WORDS}
        )
        end = CallEnd(
            call_id=new_id(), message_id=new_id(), person_id=kari, campaign_id=new_id(), outcome="reached_yes",
            effect="answered", caller="Anne", note="Gleder seg", follow_up="Send katalogen 010190 12480",
            learned=(Learned(term="warm_light", strength=5), Learned(term="garden", note="om våren")),
            began_at=now, ended_at=now,
        )  # fmt: skip
        gone = end.model_copy(update={"call_id": new_id(), "person_id": new_id()})
        for _ in range(2):
            await rig.publish(CallEndedV1(items=(end, gone)))
        await rig.drain()

        kept = (await client.get(f"/v1/contacts/{kari}/interactions")).json()["items"]
        known = (await client.get(f"/v1/contacts/{kari}/insights")).json()["items"]

    told = {one["kind"]: one for one in kept}
    assert {"call", "task"} == set(told)
    assert 2 == len(kept)
    assert ("reached_yes", "out", "Anne", "Gleder seg\ngarden: om våren") == tuple(
        told["call"][name] for name in ("outcome", "direction", "actor", "text")
    )
    assert "010190" not in told["task"]["text"]
    assert [("warm_light", 5, "call")] == [(o["term"], o["strength"], o["source"]) for o in known]
    assert [("warm_light", "need", WORDS)] == [
        (one.term, one.kind, one.words) for one in rig.items(InsightChangedV1)
    ]


async def test_what_people_are_in_organisations_is_told_with_what_the_organisation_wants(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = await make(client, "/v1/contacts", {"full_name": "Kari Nes", "phone": "+4740000001"})
        links = []
        for name in ("Lys AS", "Mørke AS"):
            firm = await make(client, "/v1/organisations", {"name": name})
            body = {"organisation_id": firm, "role": "owner", "relevance": 80, "is_main": True}
            links.append(await make(client, f"/v1/contacts/{kari}/links", body))
        found = await client.get(f"/v1/organisations/{firm}")
        changed = await client.patch(
            f"/v1/organisations/{firm}",
            json={"do_not_contact": True},
            headers={"If-Match": found.headers["etag"]},
        )
        assert 200 == changed.status_code, changed.text
        assert 204 == (await client.delete(f"/v1/contacts/{kari}/links/{links[1]}")).status_code
        await rig.drain()

    told = sorted(rig.items(LinkChangedV1), key=lambda one: (str(one.link_id), one.version))
    first = [one for one in told if str(one.link_id) == links[0]]
    assert [True, False] == [one.is_main for one in first], "the second link became the main one"
    second = [one for one in told if str(one.link_id) == links[1]]
    assert [("Mørke AS", False, False), ("Mørke AS", True, False), ("Mørke AS", True, True)] == [
        (one.organisation_name, one.do_not_contact, one.is_removed) for one in second
    ]
