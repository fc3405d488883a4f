"""A launch asks before anything is planned, and a person is shown what they would get."""

import pytest

from kantis_contracts.values import Language
from kantis_kit.ids import new_id

TEXTS = {
    "nb": {
        "subject": "Nytt til {{ preferred_name|default('deg') }} fra oss",
        "html": "<p>{{ greeting() }} {{ preferred_name }}, {{ offer_name }}</p>",
        "preheader": "Kort sagt",
    }
}


@pytest.fixture
async def house(open_house):
    return await open_house(smtp_host="")


async def _check(house, **asked):
    await house.save_template(TEXTS)
    async with house.rig.client(scopes=["messaging:read"]) as client:
        answer = await client.post(f"/v1/templates/{house.template_id}/check", json=asked)
    assert 200 == answer.status_code, answer.text
    return answer.json(), {one["code"]: one for one in answer.json()["findings"]}


async def test_a_launch_that_lacks_nothing_is_ready(house):
    said, found = await _check(house, languages=["nb"])

    assert (True, 1, {}) == (said["is_ready"], said["number"], found)


async def test_a_launch_is_told_of_missing_languages_fields_and_parts(house):
    await house.know(house.person(0), house.person(1, language=Language.FI), house.person(3))

    _, found = await _check(house, has_offer=False)
    letters, on_paper = await _check(house, channel="letter")

    assert "people of this language get it in nb" == found["language-missing"]["message"]
    assert "fi" == found["language-missing"]["language"]
    assert "offer_name is empty for everybody" in found["field-always-empty"]["message"]
    assert "empty for 1 of 2 people" in found["field-often-empty"]["message"]
    assert ("error", False) == (on_paper["no-letter"]["severity"], letters["is_ready"])


async def test_a_notice_cannot_be_launched_as_marketing(house):
    async with house.rig.client(scopes=["messaging:write", "messaging:read"]) as client:
        texts = {"nb": {"subject": "Nye vilkår", "html": "<p>Vilkårene er endret.</p>"}}
        made = await client.post(
            "/v1/templates",
            json={"name": "Vilkår", "languages": texts, "message_class": "service"},
        )
        path = made.headers["location"]
        launch = (await client.post(f"{path}/check", json={})).json()
        notice = (await client.post(f"{path}/check", json={"is_marketing": False})).json()
        version = (await client.get(f"{path}/versions/1")).json()
        page = await client.post(f"{path}/preview", json={"language": "nb"})

    assert "class-not-marketing" in {one["code"] for one in launch["findings"]}
    assert (False, True) == (launch["is_ready"], notice["is_ready"])
    assert "service" == version["message_class"]
    assert "unsubscribe" not in page.text


async def test_a_person_is_shown_what_they_would_get(house):
    kari = house.person(0, preferred_name="Kåre")
    await house.know(kari)
    await house.save_template(TEXTS)
    path = f"/v1/templates/{house.template_id}/preview"

    async with house.rig.client(scopes=["messaging:read"]) as client:
        shown = await client.post(path, json={"person_id": str(kari.person_id), "language": "en"})
        plain = await client.post(path, json={"person_id": str(kari.person_id), "part": "text"})
        nobody = await client.post(path, json={"person_id": str(new_id())})

    assert "Hei Kåre" in shown.text
    assert "Kort sagt" in shown.text
    assert "text/plain" in plain.headers["content-type"]
    assert "Kort sagt" not in plain.text
    assert 404 == nobody.status_code
