"""Rules about addresses and identity numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.people.rules import (
    AddressInvalid,
    canonical,
    national_number_in,
    normalise_email,
    normalise_phone,
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
