"""A person's own pages, by signed link."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from contacts_svc.main import SPEC
from contacts_svc.selfservice.texts import TEXTS
from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.values import Language

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
        person = await make_person(client, phone="41234567")
        for key in ("garden", "boats"):
            await client.put(f"/v1/topics/{key}", json={"purpose": "offers", "names": {"nb": key}})
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    path = (await links(rig, person))["preferences"]
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
        again = await visitor.post(path, data={**sent, "pause": "keep", "topic.garden": ""})
        wrong = await visitor.post(path, data={**sent, "hour_from": "20", "per_month": "1"})
        strange = await visitor.post(path, data={**sent, "rank.0": "pigeon"})
        plain = await visitor.post(path, data={"email.newsletter": "yes"})
    async with rig.client() as client:
        wishes = (await client.get(f"/v1/contacts/{person}/preferences")).json()
        allowed = (await client.get(f"/v1/contacts/{person}/permissions")).json()

    assert [303, 303, 422, 422, 303] == [
        one.status_code for one in (saved, again, wrong, strange, plain)
    ]
    assert 'role="status"' in shown.text
    assert '<option value="9" selected>' in shown.text
    assert 'role="alert"' in wrong.text
    assert {"boats": False} == wishes["topics"]
    assert (["sms", "email"], 9, 17, [1, 5], 2, 2) == tuple(
        wishes[name]
        for name in ("channels", "hour_from", "hour_to", "days", "per_month", "version")
    )
    assert wishes["paused_until"].startswith(str((rig.clock.now() + timedelta(days=30)).date()))
    assert {"granted"} == {
        one["state"]
        for one in allowed
        if one["channel"] == "email" and one["purpose"] == "newsletter"
    }


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
