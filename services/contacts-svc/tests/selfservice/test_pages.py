"""A person's own pages, by signed link."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode
from uuid import UUID

import pytest

from contacts_svc.main import SPEC
from contacts_svc.selfservice.texts import TEXTS
from kantis_contracts.contacts import PageRequestedV1, PersonChangedV1, PreferenceChangedV1
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner

YES = {
    "channel": "email",
    "purpose": "newsletter",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes, please <b>",
}
NAMES = ("preferences", "profile", "consents", "data", "erase")


async def make_person(client, **changes):
    body = {"full_name": "Kari Nes", "email": "kari@example.com", **changes}
    answer = await client.post("/v1/contacts", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def links(rig, person):
    async with rig.client() as client:
        answer = await client.get(f"/v1/contacts/{person}/pages")
        assert 200 == answer.status_code, answer.text
        return answer.json()


def held(rig, path, person, **more):
    """The address to which messaging-svc sends a form on, when its noes are in force there."""
    stamp = rig.service.scope.extras[LinkSigner].make("held", UUID(person).bytes)
    return f"{path}?{urlencode({'held': stamp, **more})}"


class Reader(HTMLParser):
    """What is wrong with a page for those who cannot see it, and what its controls are."""

    def __init__(self, text):
        super().__init__()
        self.labels, self.controls, self.ids, self.headings, self.found = set(), [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "label":
            self.labels.add(given.get("for"))
        if tag in ("input", "select") and given.get("type") != "hidden":
            self.controls.append(given.get("id"))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if (tag in ("script", "style") and "src" in given) or "onclick" in given:
            self.found.append(f"{tag} {given}")

    def problems(self):
        unlabelled = [one for one in self.controls if one not in self.labels]
        twice = sorted({one for one in self.ids if self.ids.count(one) > 1})
        firsts = self.headings.count("h1")
        return [*unlabelled, *twice, *self.found, *([] if firsts == 1 else [f"{firsts} h1"])]


@pytest.mark.parametrize("language", [one.value for one in Language])
async def test_every_page_is_there_in_every_language_and_can_be_read_aloud(rig_for, language):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        person = await make_person(client, phone="41234567", language=language)
        names = {one.value: f"Hage {one.value}" for one in Language}
        await client.put("/v1/topics/garden", json={"purpose": "offers", "names": names})
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    paths = await links(rig, person)

    async with rig.anonymous() as visitor:
        pages = {name: await visitor.get(paths[name]) for name in NAMES}

    for name, answer in pages.items():
        assert 200 == answer.status_code, name
        assert f'<html lang="{language}">' in answer.text
        assert [] == Reader(answer.text).problems(), name
        assert TEXTS[Language(language)][f"nav_{name}"] in answer.text
        assert f'<a href="/chat?lang={language}&amp;who=' in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert f"Hage {language}" in pages["preferences"].text
    assert "<b>" not in pages["consents"].text


async def test_looking_changes_nothing_and_a_page_opens_no_other(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client)
    paths = await links(rig, person)
    tokens = {name: path.rsplit("/", 1)[1] for name, path in paths.items()}
    await rig.drain()
    before = len(rig.items(PersonChangedV1))

    async with rig.anonymous() as visitor:
        for path in paths.values():
            await visitor.get(path)
        crossed = [
            (await visitor.get(f"/p/{name}/{tokens[other]}")).status_code
            for name in NAMES
            for other in NAMES
            if name != other
        ]
        posted = await visitor.post(f"/p/erase/{tokens['preferences']}", data={"sure": "yes"})
    await rig.drain()

    assert {404} == set(crossed)
    assert 404 == posted.status_code
    assert before == len(rig.items(PersonChangedV1))


async def test_how_a_person_wants_to_be_written_to_is_kept_and_shown_again(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        person = await make_person(client, phone="41234567", language="en")
        for key in ("garden", "boats"):
            await client.put(f"/v1/topics/{key}", json={"purpose": "offers", "names": {"nb": key}})
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    path = held(rig, (await links(rig, person))["preferences"], person)
    sent = {
        "wishes": "yes",
        "email.newsletter": "yes",
        "topic.garden": "yes",
        "topic.boats": "no",
        "rank.0": "sms",
        "rank.1": "email",
        "rank.2": "sms",
        "hour_from": "9",
        "hour_to": "17",
        "day.1": "yes",
        "day.5": "yes",
        "per_month": "2",
        "pause": "30",
    }

    async with rig.anonymous() as visitor:
        saved = await visitor.post(path, data=sent)
        shown = await visitor.get(saved.headers["location"])
        again = await visitor.post(path, data={**sent, "pause": "keep"})
        wrong = await visitor.post(path, data={**sent, "hour_from": "20", "per_month": "1"})
        strange = await visitor.post(path, data={**sent, "rank.0": "pigeon"})
        plain = await visitor.post(path, data={"email.newsletter": "yes"})
        told = await visitor.get(wrong.headers["location"])
    async with rig.client() as client:
        wishes = (await client.get(f"/v1/contacts/{person}/preferences")).json()
        allowed = (await client.get(f"/v1/contacts/{person}/permissions")).json()

    assert {303} == {one.status_code for one in (saved, again, wrong, strange, plain)}
    assert 'role="status"' in shown.text
    assert '<option value="9" selected>' in shown.text
    assert 'role="alert"' in told.text
    assert 'role="status"' not in told.text
    assert {"garden": True, "boats": False} == wishes["topics"]
    assert (["sms", "email"], 9, 17, [1, 5], 2, 4) == tuple(
        wishes[name]
        for name in ("channels", "hour_from", "hour_to", "days", "per_month", "version")
    )
    assert wishes["paused_until"].startswith(str((rig.clock.now() + timedelta(days=30)).date()))
    assert {"granted"} == {
        one["state"]
        for one in allowed
        if one["channel"] == "email" and one["purpose"] == "newsletter"
    }


async def test_a_form_is_kept_only_when_its_noes_hold_where_messages_are_sent(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        person = await make_person(client)
        other = await make_person(client, email="ola@example.com")
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    path = (await links(rig, person))["preferences"]

    async with rig.anonymous() as visitor:
        page = await visitor.get(f"{path}?lang=fi")
        straight = await visitor.post(path, data={"email.offers": "yes"})
        strangers = await visitor.post(held(rig, path, other), data={"email.offers": "yes"})
        rig.clock.advance(timedelta(minutes=1))
        async with rig.client() as client:
            before = (await client.get(f"/v1/contacts/{person}/permissions")).json()
        kept = await visitor.post(
            held(rig, path, person, lang="fi"),
            data={
                "shown.email.newsletter": "yes",
                "email.offers": "yes",
                "shown.email.offers": "no",
            },
        )
    async with rig.client() as client:
        after = (await client.get(f"/v1/contacts/{person}/permissions")).json()

    action = re.search('action="([^"]+)"', page.text)[1]
    assert re.fullmatch(r"/u/preferences/[\w-]+\?lang=fi", action)
    assert 'name="shown.email.newsletter" value="yes"' in page.text
    assert 'name="shown.email.offers" value="no"' in page.text
    assert [307, 307, 303] == [one.status_code for one in (straight, strangers, kept)]
    assert action.split("?")[0] == straight.headers["location"] == strangers.headers["location"]
    assert kept.headers["location"].endswith("?saved=1&lang=fi")
    assert [("newsletter", "granted")] == [(one["purpose"], one["state"]) for one in before]
    # What the form did not offer, here the surveys, is no answer.
    assert [("newsletter", "withdrawn"), ("offers", "granted")] == [
        (one["purpose"], one["state"]) for one in after
    ]


async def test_a_no_to_everything_is_one_button(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client, phone="41234567")
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    path = held(rig, (await links(rig, person))["preferences"], person)
    rig.clock.advance(timedelta(minutes=1))

    async with rig.anonymous() as visitor:
        answer = await visitor.post(
            path,
            data={"everything": "no", "email.newsletter": "yes", "wishes": "yes", "pause": "90"},
        )
    await rig.drain()
    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{person}/permissions")).json()

    assert 303 == answer.status_code
    assert {"withdrawn"} == {one["state"] for one in now}
    # The newsletter was a yes, and calls need none: both are noes now.
    assert {"email", "phone"} == {one["channel"] for one in now}
    (said,) = rig.items(PreferenceChangedV1)
    assert rig.clock.now() + timedelta(days=90) == said.paused_until


async def test_a_name_is_what_the_person_says_it_is(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client)
    path = (await links(rig, person))["profile"]

    async with rig.anonymous() as visitor:
        empty = await visitor.get(path)
        saved = await visitor.post(
            path, data={"preferred_name": " Kaja ", "salutation": "Dr.", "language": "fi"}
        )
        number = await visitor.post(path, data={"preferred_name": "15108695088"})
        long = await visitor.post(path, data={"preferred_name": "x" * 300})
    await rig.drain()
    async with rig.client() as client:
        contact = (await client.get(f"/v1/contacts/{person}")).json()

    assert 'name="preferred_name" maxlength="200" autocomplete="nickname" value=""' in empty.text
    assert [303, 422, 422] == [one.status_code for one in (saved, number, long)]
    assert "15108695088" not in number.text
    assert ("Kaja", "Dr.", "fi") == tuple(
        contact[name] for name in ("preferred_name", "salutation", "language")
    )
    assert "Kaja" == rig.items(PersonChangedV1)[-1].preferred_name


async def test_consents_are_shown_with_their_history(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        person = await make_person(client, language="en")
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        rig.clock.advance(timedelta(minutes=1))
        await client.post(f"/v1/contacts/{person}/permissions", json={**YES, "state": "withdrawn"})
    path = (await links(rig, person))["consents"]

    async with rig.anonymous() as visitor:
        text = (await visitor.get(path)).text

    history = text.split("History", 1)[1]
    assert history.index("– No") < history.index("– Yes")
    assert "fair" in history
    assert "Yes, please &lt;b&gt;" in history


async def test_what_is_known_is_given_as_a_file_for_an_hour(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    path = (await links(rig, person))["data"]

    async with rig.anonymous() as visitor:
        found = await visitor.get(f"{path}/file")
        rig.clock.advance(timedelta(hours=3))
        late = await visitor.get(f"{path}/file")

    assert "attachment" in found.headers["content-disposition"]
    held = found.json()
    assert "kari@example.com" == held["contact"]["email"]
    assert ["fair"] == [one["source"] for one in held["ledger"]]
    assert {"wishes", "permissions", "suppressions", "changes", "orders"} < set(held)
    assert 404 == late.status_code


async def test_a_person_who_is_sure_is_erased_and_one_who_is_not_stays(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client, language="da")
        await client.put(f"/v1/contacts/{person}/preferences", json={"per_month": 1})
    paths = await links(rig, person)

    async with rig.anonymous() as visitor:
        unsure = await visitor.post(paths["erase"], data={})
        async with rig.client() as client:
            still = await client.get(f"/v1/contacts/{person}")
        done = await visitor.post(paths["erase"], data={"sure": "yes"})
        after = [(await visitor.get(path)).status_code for path in paths.values()]
    await rig.drain()
    async with rig.client() as client:
        gone = await client.get(f"/v1/contacts/{person}")

    assert (422, 200, 200, 404) == (
        unsure.status_code,
        still.status_code,
        done.status_code,
        gone.status_code,
    )
    assert TEXTS[Language.DA]["erased_title"] in done.text
    assert {404} == set(after)
    assert rig.items(PersonChangedV1)[-1].is_erased
    pool = await rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM preference")


@pytest.mark.parametrize("name", ["data", "erase"])
async def test_a_forwarded_mail_downloads_and_erases_nothing(rig_for, name):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client, phone="41234567", language="sv")
    paths = await links(rig, person)

    async with rig.anonymous() as stranger:
        page = await stranger.get(paths["preferences"])
        way = re.search(f'href="(/p/{name}/[^"]+)"', page.text)[1]
        shown = await stranger.get(way)
        file = await stranger.get(f"{way}/file")
        asked = [await stranger.post(way, data={"sure": "yes"}) for _ in range(3)]
        told = await stranger.get(asked[0].headers["location"])
        profile = await stranger.get(paths["profile"])
    await rig.drain()
    async with rig.client() as client:
        still = await client.get(f"/v1/contacts/{person}")

    assert paths[name] != way
    assert (200, 404, 200) == (shown.status_code, file.status_code, still.status_code)
    assert {303} == {one.status_code for one in asked}
    assert TEXTS[Language.SV]["ask_sent"] in told.text
    assert "k•••@example.com" in shown.text
    assert not re.search(r"kari@example|412\s?34", shown.text + told.text + profile.text)
    requests = rig.items(PageRequestedV1)
    assert 1 == len({one.request_id for one in requests})
    asked_for = requests[0]
    assert (name, "kari@example.com", Language.SV) == (
        asked_for.page,
        asked_for.email,
        asked_for.language,
    )

    async with rig.anonymous() as owner:
        opened = await owner.get(asked_for.path)
        rig.clock.advance(timedelta(hours=2))
        late = await owner.get(asked_for.path)

    assert (200, 404) == (opened.status_code, late.status_code)


async def test_who_has_no_mailbox_is_told_where_to_turn(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        answer = await client.post("/v1/contacts", json={"full_name": "Ola", "phone": "41234567"})
        person = answer.json()["id"]
    paths = await links(rig, person)

    async with rig.anonymous() as visitor:
        page = await visitor.get(paths["preferences"])
        way = re.search('href="(/p/data/[^"]+)"', page.text)[1]
        shown = await visitor.get(way)
        await visitor.post(way)
    await rig.drain()

    assert "<form" not in shown.text
    assert [] == rig.items(PageRequestedV1)


async def test_links_are_made_for_somebody_who_is_there(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client(scopes=["contacts:read"]) as client:
        reader = await client.get("/v1/contacts/00000000-0000-0000-0000-000000000001/pages")
    async with rig.client() as client:
        nobody = await client.get("/v1/contacts/00000000-0000-0000-0000-000000000001/pages")

    assert (403, 404) == (reader.status_code, nobody.status_code)


def test_every_language_has_every_word():
    assert set(Language) == set(TEXTS)
    assert 1 == len({frozenset(texts) for texts in TEXTS.values()})
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())
