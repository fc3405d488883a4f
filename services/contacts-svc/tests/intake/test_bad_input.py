"""What is bad about a lead, and the answer that its sender gets; what is only unusual is taken."""

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.contacts import LeadReceivedV1, PersonChangedV1

FORM = {
    "key": "autumn",
    "source": "Autumn",
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}
EMOJI = "Åse 👩‍👩‍👧‍👦 \U0001f1f3\U0001f1f4"


@pytest.fixture
async def rig(rig_for):
    opened = await rig_for(SPEC)
    async with opened.client() as client:
        answer = await client.post("/v1/forms", json=FORM)
    assert answer.status_code == 201, answer.text
    return opened


async def post(rig, body=None, **given):
    async with rig.anonymous() as visitor:
        return await visitor.post("/f/autumn", **({"json": body} if body else given))


async def test_a_lead_without_phone_and_mail_is_refused_with_what_to_add(rig):
    answer = await post(rig, {"full_name": "Åse Bjørk"})
    await rig.drain()

    assert 422 == answer.status_code
    assert "an e-mail address or a mobile number" in answer.json()["detail"]
    assert [] == rig.items(LeadReceivedV1)


async def test_a_name_of_emoji_is_a_name(rig):
    answer = await post(rig, {"full_name": EMOJI, "email": "ase@example.com"})
    await rig.drain()

    assert 202 == answer.status_code, answer.text
    assert [EMOJI] == [card.full_name for card in rig.items(PersonChangedV1)]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"full_name=%C5se&email=ase%40example.com", "application/x-www-form-urlencoded"),
        (b'{"full_name": "\xc5se", "email": "ase@example.com"}', "application/json"),
        (b'{"full_name": "\\ud83d", "email": "ase@example.com"}', "application/json"),
    ],
)
async def test_letters_of_a_broken_encoding_are_refused_and_not_kept_as_rubbish(rig, content, kind):
    answer = await post(rig, content=content, headers={"Content-Type": kind})
    await rig.drain()

    assert answer.status_code in (400, 422), answer.text
    assert [] == rig.items(PersonChangedV1)


async def test_a_lead_of_forty_megabytes_is_refused_before_it_is_read(rig):
    body = b'{"full_name": "' + b"x" * (40 << 20) + b'"}'

    answer = await post(rig, content=body, headers={"Content-Type": "application/json"})

    assert 413 == answer.status_code
    assert "Send less at a time" in answer.json()["detail"]


async def test_two_people_with_one_phone_who_post_it_are_two(rig):
    kari = {"full_name": "Kari Nes", "email": "kari@example.com", "phone": "41234567"}
    ola = {"full_name": "Ola Dal", "email": "ola@example.com", "phone": "+47 412 34 567"}

    answers = [await post(rig, one) for one in (kari, ola, ola)]
    await rig.drain()

    assert [202, 202, 202] == [one.status_code for one in answers]
    async with rig.client() as client:
        found = (await client.get("/v1/contacts", params={"phone": "41234567"})).json()["items"]
    assert {("Kari Nes", True), ("Ola Dal", False)} == {
        (one["full_name"], held["is_identifying"])
        for one in found
        for held in one["identifiers"]
        if held["kind"] == "phone"
    }
