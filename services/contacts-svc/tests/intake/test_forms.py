"""What visitors, other sites and machines meet at a form."""

import asyncio
from datetime import timedelta

import pytest

from contacts_svc.intake.texts import TEXTS
from contacts_svc.main import SPEC
from kantis_contracts.contacts import ConfirmationRequestedV1, LeadReceivedV1, PersonChangedV1
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id

FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "purposes": ["newsletter"],
    "titles": {"nb": "Få høstnytt", "en": "Autumn news"},
    "consent": {
        "nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."},
        "en": {"version": "1", "text": "Yes, send me news."},
    },
    "default_language": "nb",
    "origins": ["https://shop.example"],
}
LEAD = {"full_name": "Åse Bjørk", "email": "ase@example.com", "consent": True, "language": "nb"}


async def make_form(rig, **changes):
    async with rig.client() as client:
        answer = await client.post("/v1/forms", json={**FORM, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_answer_does_not_tell_who_is_known(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    async with rig.client() as client:
        await client.post("/v1/contacts", json={"full_name": "Known", "email": "known@example.com"})

    async with rig.anonymous() as visitor:
        known = await visitor.post("/f/autumn", json={**LEAD, "email": "known@example.com"})
        stranger = await visitor.post("/f/autumn", json={**LEAD, "email": "stranger@example.com"})

    assert (known.status_code, known.content) == (stranger.status_code, stranger.content)
    telling = {"x-correlation-id"}
    assert {k: v for k, v in known.headers.items() if k not in telling} == {
        k: v for k, v in stranger.headers.items() if k not in telling
    }


async def test_a_stranger_cannot_change_what_is_known_of_a_person(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    async with rig.client() as client:
        made = await client.post(
            "/v1/contacts", json={"full_name": "Kari Nes", "email": "kari@example.com"}
        )

        async with rig.anonymous() as visitor:
            await visitor.post(
                "/f/autumn",
                json={
                    **LEAD,
                    "email": "kari@example.com",
                    "full_name": "Rude",
                    "preferred_name": "Ruder",
                },
            )
            await rig.drain()
            before = (await client.get(made.headers["location"])).json()
            (asked,) = rig.items(ConfirmationRequestedV1)
            await visitor.post(asked.confirm_path)
        after = (await client.get(made.headers["location"])).json()

    assert ("Kari Nes", "", 1) == (before["full_name"], before["preferred_name"], before["version"])
    # Their owner has confirmed the post: what was empty is filled in, what was known stays.
    assert ("Kari Nes", "Ruder") == (after["full_name"], after["preferred_name"])


async def test_one_person_comes_of_one_address_posted_by_many_at_once(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        answers = await asyncio.gather(*(visitor.post("/f/autumn", json=LEAD) for _ in range(6)))
    await rig.drain()

    assert {202} == {answer.status_code for answer in answers}
    assert (1, 1, 1) == tuple(
        len(rig.items(kind)) for kind in (PersonChangedV1, LeadReceivedV1, ConfirmationRequestedV1)
    )


async def test_a_second_form_waits_a_day_before_it_asks_the_same_mailbox(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    await make_form(rig, key="winter", purposes=["surveys"])

    async with rig.anonymous() as visitor:
        await visitor.post("/f/autumn", json=LEAD)
        await visitor.post("/f/winter", json=LEAD)
        await rig.drain()
        first = [one.form_key for one in rig.items(ConfirmationRequestedV1)]
        rig.clock.advance(timedelta(hours=25))
        await rig.drain()

    assert ["autumn"] == first
    assert ["autumn", "winter"] == [one.form_key for one in rig.items(ConfirmationRequestedV1)]


async def test_a_machine_that_fills_in_the_hidden_field_is_told_nothing_and_only_counted(rig_for):
    rig = await rig_for(SPEC)
    form = await make_form(rig)

    async with rig.anonymous() as visitor:
        person = await visitor.post("/f/autumn", json=LEAD)
        machine = await visitor.post(
            "/f/autumn", json={**LEAD, "email": "bot@example.com", "website": "http://x"}
        )
        page = await visitor.post(
            "/f/autumn", data={"email": "bot@example.com", "website": "http://x"}
        )
    await rig.drain()

    assert (person.status_code, person.content) == (machine.status_code, machine.content)
    assert 200 == page.status_code
    assert 1 == len(rig.items(PersonChangedV1))
    async with rig.client() as client:
        assert 2 == (await client.get(f"/v1/forms/{form['id']}")).json()["caught_machines"]


async def test_only_listed_sites_may_post_from_a_browser(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    listed, foreign = {"Origin": "https://shop.example"}, {"Origin": "https://evil.example"}

    async with rig.anonymous() as visitor:
        asked = await visitor.options("/f/autumn", headers=listed)
        posted = await visitor.post("/f/autumn", json=LEAD, headers=listed)
        wrong = await visitor.post("/f/autumn", json={**LEAD, "email": "x"}, headers=listed)
        refused = await visitor.post("/f/autumn", json=LEAD, headers=foreign)
        unasked = await visitor.options("/f/autumn", headers=foreign)
        own = await visitor.post("/f/autumn", json=LEAD, headers={"Origin": "http://kantis.test"})

    assert [204, 202, 422, 403, 403, 202] == [
        one.status_code for one in (asked, posted, wrong, refused, unasked, own)
    ]
    for answer in (asked, posted, wrong):
        assert "https://shop.example" == answer.headers["access-control-allow-origin"]
    assert "access-control-allow-origin" not in refused.headers


async def test_our_own_page_may_post_under_whatever_name_it_was_reached(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    by_another_name = {"Origin": "http://localhost:8400", "Sec-Fetch-Site": "same-origin"}
    foreign = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}

    async with rig.anonymous() as visitor:
        page = await visitor.get("/f/autumn")
        own = await visitor.post("/f/autumn", json=LEAD, headers=by_another_name)
        refused = await visitor.post("/f/autumn", json=LEAD, headers=foreign)

    assert "same-origin" == page.headers["referrer-policy"]
    assert [202, 403] == [own.status_code, refused.status_code]
    assert "access-control-allow-origin" not in own.headers


async def test_too_many_posts_are_asked_to_wait(rig_for):
    rig = await rig_for(
        SPEC,
        settings={
            "contacts": {"form_posts_per_ip": "5/minute", "form_posts_per_address": "2/hour"}
        },
    )
    await make_form(rig)

    async with rig.anonymous() as visitor:
        same = [(await visitor.post("/f/autumn", json=LEAD)).status_code for _ in range(3)]
        others = [
            await visitor.post("/f/autumn", json={**LEAD, "email": f"a{n}@example.com"})
            for n in range(3)
        ]

    assert [202, 202, 429] == same
    assert [202, 202, 429] == [one.status_code for one in others]
    assert int(others[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 422),
        (b'{"email": 5}', "application/json", 422),
        (b'{"email": "a@example.com", "full_name": "A\\u0000"}', "application/json", 422),
        (b'{"email": "a@example.com"}', "application/json", 422),
        (b'{"email": "a@example.com", "full_name": "A", "admin": true}', "application/json", 422),
        (
            b'{"full_name": "A", "email": "' + b"x" * 60_000 + b'@example.com"}',
            "application/json",
            422,
        ),
        (b'{"full_name": "' + b"x" * 1_000_000 + b'"}', "application/json", 413),
        (b'{"email": "a@example.com", "full_name": "010190 12480"}', "application/json", 422),
        (b"<lead/>", "text/xml", 415),
        (b"email=%FF%FE&full_name=A", "application/x-www-form-urlencoded", 422),
        (b"email=" + b"&a=1" * 200, "application/x-www-form-urlencoded", 400),
    ],
)
async def test_what_is_no_lead_is_refused_and_leaves_nothing(rig_for, body, kind, status):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        answer = await visitor.post("/f/autumn", content=body, headers={"Content-Type": kind})
    await rig.drain()

    assert status == answer.status_code, answer.text
    assert [] == rig.items(LeadReceivedV1)


async def test_pages_speak_the_visitors_language_and_unknown_forms_are_not_there(rig_for):
    rig = await rig_for(SPEC, start=False)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        languages = {
            header: (await visitor.get("/f/autumn", headers={"Accept-Language": header})).headers[
                "content-language"
            ]
            for header in ("en-GB,en;q=0.9", "nn-NO", "fr", "da;q=0.1,en;q=x,nb", "")
        }
        asked = await visitor.get("/f/autumn?lang=en", headers={"Accept-Language": "nb"})
        gone = await visitor.get("/f/nothing")
        odd = await visitor.get("/f/%C3%A5")

    assert {
        "en-GB,en;q=0.9": "en",
        "nn-NO": "nb",
        "fr": "nb",
        "da;q=0.1,en;q=x,nb": "nb",
        "": "nb",
    } == languages
    assert "en" == asked.headers["content-language"]
    assert (404, 404) == (gone.status_code, odd.status_code)


async def test_the_script_for_other_sites_holds_words_as_data(rig_for):
    rig = await rig_for(SPEC, start=False)
    await make_form(rig, titles={**FORM["titles"], "en": "</script><script>alert(1)//"})

    async with rig.anonymous() as visitor:
        answer = await visitor.get("/f/autumn/snippet.js?lang=en")

    assert answer.headers["content-type"].startswith("text/javascript")
    assert "</script>" not in answer.text
    assert '"http://kantis.test/f/autumn"' in answer.text
    assert "innerHTML" not in answer.text


async def test_words_that_people_have_seen_keep_their_version(rig_for):
    rig = await rig_for(SPEC)
    form = await make_form(rig)
    reworded = {**FORM, "consent": {**FORM["consent"], "nb": {"version": "1", "text": "Noe annet"}}}
    newer = {**FORM, "consent": {**FORM["consent"], "nb": {"version": "2", "text": "Noe annet"}}}

    async with rig.client() as client, rig.anonymous() as visitor:
        refused = await client.put(
            f"/v1/forms/{form['id']}", json=reworded, headers={"If-Match": '"1"'}
        )
        changed = await client.put(
            f"/v1/forms/{form['id']}", json=newer, headers={"If-Match": '"1"'}
        )
        await visitor.post("/f/autumn", json={**LEAD, "consent_version": "1"})
        await rig.drain()
        (lead,) = rig.items(LeadReceivedV1)
        proof = (await client.get(f"/v1/contacts/{lead.person_id}/permissions/proof")).json()
        twice = await client.post("/v1/forms", json=FORM)
        await client.delete(f"/v1/forms/{form['id']}")
        closed = await visitor.post("/f/autumn", json=LEAD)

    assert [409, 200, 409, 404] == [one.status_code for one in (refused, changed, twice, closed)]
    assert [("1", "Ja, send meg nyhetsbrev.")] == [
        (one["text_version"], one["text_shown"]) for one in proof
    ]


async def test_links_that_are_old_forged_or_of_another_kind_confirm_nothing(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)
    signer = rig.service.scope.extras[LinkSigner]

    async with rig.anonymous() as visitor:
        await visitor.post("/f/autumn", json=LEAD)
        await rig.drain()
        (asked,) = rig.items(ConfirmationRequestedV1)
        other = signer.make("preferences", asked.request_id.bytes)
        nobody = signer.make("confirm", new_id().bytes)
        paths = [
            asked.confirm_path + "A",
            f"/p/confirm/{other}",
            f"/p/confirm/{nobody}",
            "/p/confirm/%C3%A5",
        ]
        answers = [await visitor.post(path) for path in paths]
        rig.clock.advance(timedelta(days=15))
        answers.append(await visitor.post(asked.confirm_path))

    assert {404} == {answer.status_code for answer in answers}
    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{asked.person_id}/permissions")).json()
    assert {"pending"} == {one["state"] for one in now}


def test_every_language_has_every_word():
    assert set(Language) == set(TEXTS)
    assert 1 == len({frozenset(texts) for texts in TEXTS.values()})
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())
