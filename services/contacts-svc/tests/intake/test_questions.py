"""What a form asks beside names and addresses, in all three ways of posting, and what it gives away."""

import re
from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.contacts import ConfirmationRequestedV1, LeadReceivedV1

BOX = {"nb": {"version": "1", "text": "Ja, spør meg om varene."}}
FORM = {
    "key": "boots",
    "source": "Boot guide",
    "titles": {"nb": "Finn fjellsko"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
    "fields": [
        {"key": "size", "kind": "number", "labels": {"nb": "Skostørrelse"}, "is_required": True},
        {
            "key": "why",
            "kind": "choices",
            "labels": {"nb": "Hva plager deg?"},
            "choices": [
                {"value": "wet", "labels": {"nb": "Våte føtter"}, "term": "wet_feet"},
                {"value": "cold", "labels": {"nb": "Kalde føtter"}, "term": "cold_feet"},
            ],
        },
        {"key": "note", "kind": "long_text", "labels": {"nb": "Noe mer?"}},
        {"key": "when", "kind": "date", "labels": {"nb": "Når skal du på tur?"}},
        {"key": "dog", "kind": "flag", "labels": {"nb": "Har du hund?"}},
    ],
    "topics": [
        {"key": "hiking", "labels": {"nb": "Fotturer"}},
        {"key": "skiing", "labels": {"nb": "Ski"}},
    ],
    "boxes": [{"key": "ask", "purposes": ["surveys"], "consent": BOX}],
}
LEAD = {"full_name": "Åse Bjørk", "email": "ase@example.com", "language": "nb"}


async def make_form(rig, **changes):
    async with rig.client() as client:
        answer = await client.post("/v1/forms", json={**FORM, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def leads_of(rig, form):
    async with rig.client() as client:
        return (await client.get(f"/v1/forms/{form['id']}/leads")).json()["items"]


async def test_a_page_and_a_program_may_answer_the_same_questions(rig_for):
    rig = await rig_for(SPEC)
    form = await make_form(rig)
    said = {"size": "42,5", "why": ["cold", "wet"], "when": "2026-12-24", "dog": True}

    async with rig.anonymous() as visitor:
        shown = await visitor.get("/f/boots")
        started = re.search(r'name="started" value="([^"]+)"', shown.text)[1]
        rig.clock.advance(timedelta(seconds=5))
        by_page = await visitor.post(
            "/f/boots",
            data={
                "full_name": "Kari Nes",
                "email": "kari@example.com",
                "started": started,
                "answers.size": "42,5",
                "answers.why": ["wet", "cold"],
                "answers.when": "2026-12-24",
                "answers.dog": "yes",
                "answers.note": "",
                "topics": ["skiing", "hiking"],
                "boxes.ask": "yes",
                "box_versions.ask": "1",
            },
        )
        by_program = await visitor.post(
            "/f/boots",
            json={
                **LEAD,
                "answers": said,
                "topics": ["hiking", "skiing"],
                "boxes": {"ask": True},
            },
        )
    await rig.drain()

    assert (200, 202) == (by_page.status_code, by_program.status_code), by_page.text
    kept = [(one["answers"], one["topics"], one["boxes"]) for one in await leads_of(rig, form)]
    expected = {"size": 42.5, "why": ["wet", "cold"], "when": "2026-12-24", "dog": True}
    assert [(expected, ["hiking", "skiing"], {"ask": "1"})] * 2 == kept
    assert {("hiking", "skiing")} == {one.topics for one in rig.items(LeadReceivedV1)}


async def test_no_box_of_the_page_is_ticked_beforehand_not_even_after_a_mistake(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        shown = await visitor.get("/f/boots")
        script = await visitor.get("/f/boots/snippet.js")
        started = re.search(r'name="started" value="([^"]+)"', shown.text)[1]
        rig.clock.advance(timedelta(seconds=5))
        again = await visitor.post(
            "/f/boots",
            data={
                "full_name": "Kari",
                "email": "kari@example.com",
                "started": started,
                "consent": "yes",
                "boxes.ask": "yes",
                "answers.size": "x",
            },
        )

    # A flag, two answers to choose, two topics, two consents.
    assert 7 == shown.text.count('type="checkbox"')
    assert 422 == again.status_code
    assert "checked" not in shown.text + again.text
    assert ".checked = true" not in script.text
    assert "Ja, spør meg om varene." in script.text.encode().decode("unicode_escape")


@pytest.mark.parametrize(
    ("post", "field"),
    [
        ({"answers": {}}, "answers.size"),
        ({"answers": {"size": "large"}}, "answers.size"),
        ({"answers": {"size": 42, "why": ["dry"]}}, "answers.why"),
        ({"answers": {"size": 42, "when": "24.12."}}, "answers.when"),
        ({"answers": {"size": 42, "note": "Jeg er 010190 12480"}}, "answers.note"),
        ({"answers": {"size": 42, "colour": "red"}}, "answers.colour"),
        ({"answers": {"size": 42}, "topics": ["golf"]}, "topics"),
        ({"answers": {"size": 42}, "boxes": {"partner": True}}, "boxes.partner"),
        ({"answers": {"size": 42}, "boxes": {"consent": True}}, "boxes.consent"),
    ],
)
async def test_an_answer_that_cannot_be_is_refused_by_its_name(rig_for, post, field):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        answer = await visitor.post("/f/boots", json={**LEAD, **post})
    await rig.drain()

    assert 422 == answer.status_code
    assert answer.json()["detail"].startswith(field)
    assert [] == rig.items(LeadReceivedV1)


async def test_each_box_is_a_yes_to_its_own_purposes_in_its_own_words(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        await visitor.post(
            "/f/boots", json={**LEAD, "answers": {"size": 42}, "boxes": {"ask": True}}
        )
        await rig.drain()
        (asked,) = rig.items(ConfirmationRequestedV1)
        looked = await visitor.get(asked.confirm_path)
        await visitor.post(asked.confirm_path)
    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{asked.person_id}/permissions")).json()
        proof = (await client.get(f"/v1/contacts/{asked.person_id}/permissions/proof")).json()

    assert "Ja, spør meg om varene." in looked.text
    assert "nyhetsbrev" not in looked.text
    assert [("surveys", "granted")] == [(one["purpose"], one["state"]) for one in now]
    assert {"Ja, spør meg om varene."} == {one["text_shown"] for one in proof}
    assert {"ask"} == {one["evidence"]["box"] for one in proof}


async def test_answers_and_the_list_count_for_a_known_person_when_they_have_confirmed(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        terms = [
            await client.post(
                "/v1/insights/terms",
                json={
                    "key": key,
                    "kind": "need",
                    "words": dict.fromkeys(("nb", "sv", "da", "fi", "en"), key),
                },
            )
            for key in ("wet_feet", "cold_feet")
        ]
        known = await client.post(
            "/v1/contacts", json={"full_name": "Åse Bjørk", "email": "ase@example.com"}
        )
        contact = known.headers["location"]
        people = await client.post(
            "/v1/segments",
            json={"name": "Boots", "condition": {"op": "country", "is_in": ["NO"]}},
        )
        assert people.status_code == 201, people.text
        await make_form(rig, list_id=people.json()["id"])
        pool = await rig.service.database.pool()
        listed = "SELECT count(*) FROM list_member"
        async with rig.anonymous() as visitor:
            await visitor.post(
                "/f/boots",
                json={**LEAD, "consent": True, "answers": {"size": 42, "why": ["wet"]}},
            )
            await rig.drain()
            before = (await client.get(f"{contact}/insights")).json()["items"]
            assert 0 == await pool.fetchval(listed)
            (asked,) = rig.items(ConfirmationRequestedV1)
            await visitor.post(asked.confirm_path)
            await visitor.post(asked.confirm_path)
        after = (await client.get(f"{contact}/insights")).json()["items"]

    assert [201, 201] == [one.status_code for one in terms], terms[0].text
    assert [] == before
    assert "wet_feet" in str(after)
    assert 1 == await pool.fetchval(listed)
    assert ["form"] == [one["source"] for one in after]


async def test_a_form_keeps_each_version_of_itself(rig_for):
    rig = await rig_for(SPEC, start=False)
    form = await make_form(rig)

    async with rig.client() as client:
        await client.put(
            f"/v1/forms/{form['id']}",
            json={**FORM, "source": "Other"},
            headers={"If-Match": '"1"'},
        )
        versions = (await client.get(f"/v1/forms/{form['id']}/versions")).json()

    assert [(2, "Other"), (1, "Boot guide")] == [
        (one["version"], one["body"]["source"]) for one in versions
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fields": [{**FORM["fields"][0], "labels": {"sv": "Storlek"}}]}, "fields.size.labels"),
        ({"fields": [FORM["fields"][0], FORM["fields"][0]]}, "size is there already"),
        ({"fields": [{"key": "a", "kind": "choice", "labels": {"nb": "A"}}]}, "give choices"),
        ({"boxes": [{**FORM["boxes"][0], "key": "consent"}]}, "consent is there already"),
        ({"list_id": "00000000-0000-7000-8000-000000000001"}, "list_id"),
    ],
)
async def test_a_form_that_could_not_be_filled_in_is_not_made(rig_for, change, told):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post("/v1/forms", json={**FORM, **change})

    assert 422 == answer.status_code
    assert told in answer.text


async def test_a_file_is_given_for_the_address_and_not_for_the_consent_and_its_link_ends(rig_for):
    rig = await rig_for(SPEC)
    form = await make_form(
        rig, fields=[], download={"titles": {"nb": "Skoguide"}, "days": 3, "after": "lead"}
    )
    async with rig.client() as client:
        path = f"/v1/forms/{form['id']}/download?file_name=sko-guide.pdf"
        put = await client.put(path, content=b"%PDF-1", headers={"Content-Type": "application/pdf"})
        page = await client.put(path, content=b"<html>", headers={"Content-Type": "text/html"})
        large = await client.put(
            path, content=b"x" * 1_048_577, headers={"Content-Type": "application/pdf"}
        )

    async with rig.anonymous() as visitor:
        answer = await visitor.post("/f/boots", json=LEAD)
        link = answer.json()["download"]
        file = await visitor.get(link)
        forged = await visitor.get(link[:-1] + ("A" if link[-1] != "A" else "B"))
        rig.clock.advance(timedelta(days=4))
        late = await visitor.get(link)

    assert 200 == put.status_code, put.text
    assert 422 == page.status_code
    assert large.status_code in (413, 422)
    assert (200, b"%PDF-1", "application/pdf") == (
        file.status_code,
        file.content,
        file.headers["content-type"],
    )
    assert file.headers["content-disposition"].startswith("attachment")
    assert (404, 404) == (forged.status_code, late.status_code)


async def test_a_file_that_waits_for_the_confirmation_is_given_there_alone(rig_for):
    rig = await rig_for(SPEC)
    form = await make_form(
        rig, fields=[], download={"titles": {"nb": "Skoguide"}, "after": "confirmation"}
    )
    async with rig.client() as client:
        await client.put(
            f"/v1/forms/{form['id']}/download?file_name=a.txt",
            content=b"guide",
            headers={"Content-Type": "text/plain"},
        )

    async with rig.anonymous() as visitor:
        answer = await visitor.post("/f/boots", json=LEAD)
        await rig.drain()
        (asked,) = rig.items(ConfirmationRequestedV1)
        before = await visitor.get(asked.confirm_path)
        done = await visitor.post(asked.confirm_path)
        link = re.search(r'href="(/p/download/[^"]+)"', done.text)[1]
        file = await visitor.get(link)
    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{asked.person_id}/permissions")).json()

    assert "download" not in answer.json()
    assert "/p/download/" not in before.text
    assert b"guide" == file.content
    assert [] == now  # the file was the wish; nothing else was said yes to


async def test_topics_of_the_company_become_wishes_of_the_person_beside_older_ones(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        topic = {"purpose": "newsletter", "names": {"nb": "Fotturer"}}
        made = [await client.put(f"/v1/topics/{key}", json=topic) for key in ("hiking", "boats")]
        known = await client.post(
            "/v1/contacts", json={"full_name": "Åse Bjørk", "email": "ase@example.com"}
        )
    await make_form(rig, fields=[])
    person_id = known.json()["id"]
    pool = await rig.service.database.pool()
    wishes = "SELECT topics::text FROM preference WHERE person_id = $1"

    async with rig.anonymous() as visitor:
        await visitor.post(
            "/f/boots", json={**LEAD, "consent": True, "topics": ["hiking", "skiing"]}
        )
        await rig.drain()
        before = await pool.fetchval(wishes, person_id)
        (asked,) = rig.items(ConfirmationRequestedV1)
        await visitor.post(asked.confirm_path)

    assert all(one.is_success for one in made), made[0].text
    assert before is None
    assert '{"hiking": true}' == await pool.fetchval(wishes, person_id)
