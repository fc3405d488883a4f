"""Amounts: VAT by integers, words for people."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kantis_contracts.values import Language
from kantis_kit.money import in_words
from orders_svc.money import date_in_words, rate_in_words, split_by_rate, split_vat

amounts = st.integers(0, 10**12)
rates = st.decimals(0, 100, places=2)


@given(gross=amounts, rate=rates)
def test_net_and_vat_are_the_gross_and_the_vat_is_exact_to_half_a_unit(gross, rate):
    share = split_vat(gross, rate)

    assert gross == share.net_minor + share.vat_minor
    assert abs(
        Fraction(gross) * Fraction(rate) / (100 + Fraction(rate)) - share.vat_minor
    ) <= Fraction(1, 2)
    assert 0 <= share.vat_minor <= gross


@given(
    lines=st.lists(
        st.tuples(amounts, st.sampled_from([Decimal(one) for one in ("0", "12", "13.5", "25.50")]))
    )
)
def test_a_sum_is_split_per_rate_without_losing_a_unit(lines):
    shares = split_by_rate(lines)

    assert sum(gross for gross, _ in lines) == sum(s.net_minor + s.vat_minor for s in shares)
    assert sorted({rate for _, rate in lines}) == [s.vat_pct for s in shares]


def test_half_a_unit_of_vat_is_rounded_up():
    # 25 % of 2.5 net: the exact VAT of 3 is 0.6, of 13 at 4 % it is 0.5.
    assert [1, 1] == [split_vat(3, Decimal(25)).vat_minor, split_vat(13, Decimal(4)).vat_minor]


def test_the_rate_of_finland_is_exact():
    # 125.50 with VAT is 100 without.
    assert (10_000, 2_550) == (
        split_vat(12_550, Decimal("25.5")).net_minor,
        split_vat(12_550, Decimal("25.5")).vat_minor,
    )


def test_rates_are_written_as_people_write_them():
    written = [rate_in_words(Decimal(rate), "fi") for rate in ("25.50", "10.00", "13.5", "0")]

    assert ["25,5\xa0%", "10\xa0%", "13,5\xa0%", "0\xa0%"] == written
    assert "25.5\xa0%" == rate_in_words(Decimal("25.50"), "en")


def test_amounts_are_written_as_people_write_them():
    written = {
        language.value: in_words(123_450, currency, language.value).replace("\xa0", " ")
        for language, currency in zip(Language, ("NOK", "SEK", "DKK", "EUR", "EUR"), strict=True)
    }

    assert {
        "nb": "1 234,50 kr",
        "sv": "1 234,50 kr",
        "da": "1.234,50 kr.",
        "fi": "1 234,50 €",
        "en": "€1,234.50",
    } == written


def test_the_letters_of_a_currency_never_touch_the_number():
    written = [in_words(2_608_050, currency, "en") for currency in ("NOK", "SEK", "EUR")]

    assert ["NOK\xa026,080.50", "SEK\xa026,080.50", "€26,080.50"] == written
    assert "-NOK\xa026,080.50" == in_words(-2_608_050, "NOK", "en")


def test_a_currency_without_small_coins_has_no_decimals():
    assert "1.234" in in_words(1_234, "ISK", "da")


def test_dates_are_written_in_every_language():
    written = [date_in_words(date(2026, 3, 16), language.value) for language in Language]

    assert written == [
        "16. mars 2026",
        "16 mars 2026",
        "16. marts 2026",
        "16. maaliskuuta 2026",
        "16 March 2026",
    ]
