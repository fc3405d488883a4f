"""Rules about addresses and identity numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.national import NationalNumberRefused
from contacts_svc.people.rules import (
    AddressInvalid,
    canonical,
    national_number_in,
    normalise_email,
    normalise_phone,
    refuse_national_numbers,
)


@pytest.mark.parametrize(
    ("given_number", "country", "value"),
    [
        ("412 34 567", "NO", "+4741234567"),
        ("0047 41234567", "NO", "+4741234567"),
        ("070-123 45 67", "SE", "+46701234567"),
        ("+358 40 1234567", "NO", "+358401234567"),
        ("32 12 34 56", "DK", "+4532123456"),
    ],
)
def test_a_number_is_read_by_its_country(given_number, country, value):
    assert value == normalise_phone(given_number, country).value


@given(st.text(max_size=400))
def test_any_text_is_an_address_or_is_refused_and_normalising_twice_changes_nothing(text):
    for read in (normalise_email, lambda value: normalise_phone(value, "NO")):
        try:
            once = read(text)
        except AddressInvalid:
            continue
        assert once.value == read(once.value).value


def test_tags_and_dots_do_not_make_another_mailbox():
    spelt = ["kari.nes+a@gmail.com", "karines@googlemail.com", "KariNes@GMail.com"]
    assert {"karines@gmail.com"} == {canonical(normalise_email(one)) for one in spelt}
    assert "kari.nes@example.com" == canonical(normalise_email("kari.nes+x@example.com"))


@pytest.mark.parametrize(
    "text", ["Order 1234567890", "call 41234567", "2026-01-02 12:00", "", "Storgata 12, 0155 Oslo"]
)
def test_ordinary_numbers_are_no_identity_numbers(text):
    assert national_number_in(text) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"note": "fnr 010190 12480"},
            "note: holds what looks like a national identity number (Norwegian fødselsnummer)",
        ),
        (
            {"note": "kt. 120174-3399"},
            "note: holds what looks like a national identity number (Icelandic kennitala)",
        ),
        ({"answers": [{"text": "hetu 131052-308T"}]}, "answers[0].text"),
        ({"evidence": {"who": "880320-0016"}}, "evidence.who"),
    ],
)
def test_an_identity_number_is_refused_wherever_it_stands_and_not_repeated(values, said):
    with pytest.raises(NationalNumberRefused, match=re.escape(said)) as refusal:
        refuse_national_numbers(values)

    assert "12480" not in str(refusal.value)


def test_a_field_that_is_declared_for_identity_numbers_takes_them_and_organisations_have_none():
    refuse_national_numbers({"fnr": "010190 12480"}, allow={"fnr"})
    refuse_national_numbers({"note": "kt. 450401-3150, org.nr 974 760 673, 556677-8899"})
