"""References against the vectors of those who defined them, and what a slip of the finger does to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_svc.billing.references import (
    BadBase,
    fik,
    kid,
    luhn_digit,
    mod11_digit,
    ocr,
    rf,
    viitenumero,
)

digits = st.text(alphabet="0123456789", min_size=3, max_size=24)


@pytest.mark.parametrize(
    ("base", "check", "reference"),
    [
        ("1234", "mod10", "12344"),
        ("1234", "mod11", "12343"),
        ("60224", "mod10", "602243"),
        ("60224", "mod11", "602248"),
        ("12345670112345", "mod10", "123456701123453"),
        ("12345670112345", "mod11", "123456701123458"),
    ],
)
def test_a_kid_is_what_the_bank_expects(base, check, reference):
    assert reference == kid(base, check)


@pytest.mark.parametrize("base", ["6", "23", "37", "40", "54"])
def test_a_base_whose_mod11_digit_is_a_dash_gives_no_kid(base):
    assert kid(base, "mod11") is None


def test_the_first_bases_without_a_mod11_kid_are_these_and_no_others():
    without = [base for base in range(1, 55) if kid(str(base), "mod11") is None]

    assert [6, 23, 37, 40, 54] == without


def test_ocr_numbers_are_swedish_with_and_without_their_length():
    assert "123455" == ocr("12345")
    assert "1234574" == ocr("12345", with_length=True)


def test_a_viitenumero_is_finnish_and_has_no_leading_zeros():
    assert "1234561" == viitenumero("123456")
    assert "1234561" == viitenumero("000123456")
    with pytest.raises(BadBase):
        viitenumero("0012")


def test_a_card_of_type_71_is_danish_and_fifteen_digits_long():
    assert ["18", "26"] == [base + luhn_digit(base) for base in ("1", "2")]
    assert "000000000123455" == fik("12345")
    with pytest.raises(BadBase):
        fik("123456789012345")


def test_an_rf_reference_is_international():
    assert "RF18539007547034" == rf("539007547034")
    assert "RF341234561" == rf(viitenumero("123456"))
    with pytest.raises(BadBase):
        rf("å1")


@pytest.mark.parametrize("base", ["12a4", "12 4", "-12", "\u0661\u0662\u0663"])
def test_what_is_not_all_digits_is_refused(base):
    with pytest.raises(BadBase):
        kid(base, "mod10")


@given(base=digits, place=st.integers(0, 23), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_never_passes_mod10(base, place, digit):
    wrong = base[: place % len(base)] + digit + base[place % len(base) + 1 :]

    assert (wrong == base) == (luhn_digit(wrong) == luhn_digit(base))


@given(base=st.text(alphabet="0123456789", min_size=3, max_size=6), place=st.integers(0, 5))
def test_two_neighbours_swapped_never_pass_mod11(base, place):
    at = place % (len(base) - 1)
    swapped = base[:at] + base[at + 1] + base[at] + base[at + 2 :]

    assert (swapped == base) == (mod11_digit(swapped) == mod11_digit(base))


@given(base=digits)
def test_an_rf_reference_checks_by_its_own_rule(base):
    reference = rf(base[:21])
    number = "".join(str(int(sign, 36)) for sign in reference[4:] + reference[:4])

    assert 1 == int(number) % 97
