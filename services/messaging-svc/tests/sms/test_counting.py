"""Alphabet, parts and cost of a text, and what a text template becomes."""

from urllib.parse import urlencode

import pytest

from kantis_contracts.values import Language
from messaging_svc.main import SPEC
from messaging_svc.sms.counting import count, plain
from messaging_svc.sms.model import is_sender, number_of
from messaging_svc.sms.providers.port import form_of
from messaging_svc.sms.texts import Slot, compile_text
from messaging_svc.templates.errors import Flaw


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "room"),
    [
        ("a" * 160, "gsm7", 1, 0),
        ("a" * 161, "gsm7", 2, 145),
        ("æøåÆØÅäöÄÖ" * 16, "gsm7", 1, 0),
        ("€" * 80, "gsm7", 1, 0),
        # The 153 places of a part hold 76 of them: none is cut in two.
        ("€" * 153, "gsm7", 3, 151),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 3, 152),
        ("a" * 69 + "ł", "ucs2", 1, 0),
        ("a" * 70 + "ł", "ucs2", 2, 63),
        ("😀" * 35, "ucs2", 1, 0),
        ("a" * 66 + "😀" + "b" * 66, "ucs2", 3, 66),
        ("", "gsm7", 1, 160),
        ("a" * 158 + "€", "gsm7", 1, 0),
        ("a" * 159 + "€", "gsm7", 2, 145),
        ("€" * 80 + "a", "gsm7", 2, 144),
    ],
)
def test_parts_are_counted_as_phones_put_them_together(text, encoding, segments, room):
    counted = count(text)

    assert (encoding, segments, room) == (counted.encoding, counted.segments, counted.room)


@pytest.mark.parametrize("text", ["", "Hei, Kari! æøå 499 kr\n", "a+b&c=d/%~._-", "€😀\u2028\x00"])
def test_a_form_is_written_as_the_library_writes_it(text):
    assert urlencode({"a": text, "b": "1"}).encode() == form_of({"a": text, "b": "1"})


def test_the_signs_that_make_a_message_dear_are_named_with_plain_ones_that_say_the_same():
    counted = count("Vår“tilbud” – nå… š")

    assert [("“", 1, '"'), ("”", 1, '"'), ("–", 1, "-"), ("…", 1, "..."), ("š", 1, None)] == [
        (one.character, one.count, one.instead) for one in counted.forcing
    ]
    assert "gsm7" == count(plain("“tilbud” – nå…")).encoding


async def test_a_count_tells_the_cost_of_a_launch_before_it(rig_for):
    prices = {"sms_price_minor": 50, "sms_prices_minor": {"+47": 40, "+4790": 45}}
    rig = await rig_for(SPEC, settings={"messaging": prices}, start=False)
    async with rig.client() as client:
        answers = [
            (await client.post("/v1/sms/count", json={"text": "a" * 161, **about})).json()
            for about in (
                {},
                {"to": "+4741234567", "recipients": 1000},
                {"to": "+4790123456"},
                {"to": "+46"},
            )
        ]
        refused = await client.post("/v1/sms/count", json={"text": ""})

    assert [100, 80_000, 90, 100] == [one["cost_minor"] for one in answers]
    assert "NOK" == answers[0]["currency"]
    assert 422 == refused.status_code


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("+4741234567", "+4741234567"),
        ("4741234567", "+4741234567"),
        ("0047 412 34 567", "+4741234567"),
        ("1963", None),
        ("Lys AS", None),
        ("+47412345678901234", None),
        ("+0412345678", None),
        ("+47412\r\n34567", "+4741234567"),
    ],
)
def test_numbers_are_read_as_providers_write_them(given, number):
    assert number == number_of(given)


def test_a_sender_is_a_number_or_up_to_eleven_letters():
    assert all(is_sender(one) for one in ("Lys AS", "2440", "+4741234567"))
    assert not any(is_sender(one) for one in ("", "Elleve og en", "Lys\r\n", "Lås"))


def test_every_address_of_a_text_becomes_a_slot_and_a_way_to_say_no_is_added():
    text = "{{ greeting() }}! Se https://lys.example/a?b=1. Svar: {{ response_url }}"
    ready = compile_text(text, Language.NB)

    assert (Slot("fixed", "https://lys.example/a?b=1"), Slot("response"), Slot("unsubscribe")) == (
        ready.slots
    )
    links = {0: "S0", 1: "S1", 2: "S2"}
    assert "Hei Kari! Se S0. Svar: S1\nAvslutt: S2" == ready.render({"greeting": "Hei Kari"}, links)


def test_who_can_be_answered_needs_no_link_to_say_no():
    ready = compile_text("Hej!", Language.SV, reply_number="71456")

    assert "Hej!\nAvsluta: STOPP till 71456" == ready.render({}, {})
    assert "Send STOPP" == compile_text("Send STOPP", Language.NB).render({}, {})


@pytest.mark.parametrize(
    "text", ["{{ password }}", "{% for a in b %}{% endfor %}", "  ", "{{ preferred_name"]
)
def test_what_cannot_be_sent_is_refused(text):
    with pytest.raises(Flaw):
        compile_text(text, Language.NB)


async def test_a_text_template_is_saved_with_its_size_and_refused_with_its_flaws(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        good = await client.post(
            "/v1/sms/templates",
            json={"name": "Vår", "languages": {"nb": "{{ offer_name }} & mer", "fi": "Hei “sinä”"}},
        )
        path = f"/v1/sms/templates/{good.json()['id']}"
        again = await client.put(path, json={"name": "Vår", "languages": {"nb": "Ny"}})
        bad = await client.post(
            "/v1/sms/templates",
            json={"name": "x", "languages": {"nb": "{{ password }}", "sv": "x" * 1700}},
        )
        gone = await client.put(
            "/v1/sms/templates/00000000-0000-0000-0000-000000000001",
            json={"name": "Vår", "languages": {"nb": "Ny"}},
        )

    assert (201, "ucs2") == (good.status_code, good.json()["languages"]["fi"]["encoding"])
    assert (200, 2) == (again.status_code, again.json()["version"])
    assert 422 == bad.status_code
    assert ["languages.nb", "languages.sv"] == [one["field"] for one in bad.json()["errors"]]
    assert 404 == gone.status_code
