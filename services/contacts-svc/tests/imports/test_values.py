"""Days and numbers of a column: one way of writing, decided over the sample, and said where it was in doubt."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.imports.values import Form, Unreadable, decide, read, read_day, read_number

DAYS = st.dates(date(1930, 1, 1), date(2060, 12, 31))
WRITTEN = {
    Form.ISO: "{0:%Y-%m-%d}",
    Form.DOTS: "{0.day}.{0.month}.{0:%Y}",
    Form.SLASH: "{0.day}/{0.month}/{0:%Y}",
    Form.SLASH_US: "{0:%m/%d/%Y}",
    Form.COMPACT: "{0:%Y%m%d}",
}


@pytest.mark.parametrize("form", WRITTEN)
@given(days=st.lists(DAYS, min_size=1, max_size=30))
def test_a_column_of_days_is_read_as_it_was_written(form, days):
    cells = [WRITTEN[form].format(day) for day in days]

    decided = decide("date", cells)

    if form is Form.SLASH_US and not decided.doubt and decided.form is not form:
        raise AssertionError(cells)
    if decided.form is form:
        assert [day.isoformat() for day in days] == [read_day(cell, form) for cell in cells]
    else:
        assert "taken to come first" in decided.doubt
        assert all(day.day <= 12 for day in days)


@pytest.mark.parametrize(
    ("cells", "form", "doubt"),
    [
        (["31.12.2026", "1.2.26"], Form.DOTS, ""),
        (["24/12-26", "3/1-27"], Form.SLASH, ""),
        (["24-12-2026"], Form.SLASH, ""),
        (["12/24/2026", "01/02/2026"], Form.SLASH_US, ""),
        (["01/02/2026"], Form.SLASH, "taken to come first"),
        (["46387", "", "-", "29000"], Form.SERIAL, ""),
        (["2026-12-24", "24.12.2026"], Form.DOTS, ""),
        (["2026-12-24 10:30"], Form.ISO, ""),
        (["soon", ""], Form.ISO, "no cell"),
        ([], Form.ISO, "no cell"),
    ],
)
def test_days_are_told_apart(cells, form, doubt):
    decided = decide("date", cells)

    assert form is decided.form
    assert (doubt in decided.doubt) if doubt else not decided.doubt


def test_two_digits_of_a_year_and_days_of_spreadsheets():
    assert "2026-12-24" == read_day("24/12-26", Form.SLASH)
    assert "1974-12-24" == read_day("24.12.74", Form.DOTS)
    assert "2026-12-31" == read_day("46387", Form.SERIAL)
    assert "2026-12-31" == read_day("46387.75", Form.SERIAL)
    for cell in ("31.2.2026", "32.1.2026", "24.12.0026", "i morgen"):
        with pytest.raises(Unreadable, match="is n"):
            read_day(cell, Form.DOTS)


@pytest.mark.parametrize(
    ("cells", "form", "doubt"),
    [
        (["1 234,50", "12"], Form.COMMA, ""),
        (["1.234,5"], Form.COMMA, ""),
        (["1,234.50"], Form.POINT, ""),
        (["12.5"], Form.POINT, ""),
        (["1.234", "12.500"], Form.COMMA, "thousands"),
        (["1,234"], Form.COMMA, "thousands"),
        (["1,5", "2.5"], Form.COMMA, "decimal points"),
        (["17", ""], Form.COMMA, ""),
    ],
)
def test_decimal_commas_are_told_from_decimal_points(cells, form, doubt):
    decided = decide("decimal", cells)

    assert form is decided.form
    assert (doubt in decided.doubt) if doubt else not decided.doubt


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_was_written_with_a_comma_or_a_point(number):
    english = f"{number:,}"
    nordic = english.replace(",", " ").replace(".", ",").replace(" ", "\u00a0")

    assert number == Decimal(read_number(english, Form.POINT))
    assert number == Decimal(read_number(nordic, Form.COMMA))


@pytest.mark.parametrize("cell", ["", "-", "+-1", "1,2,3", "12,34.5", "1e5", "1,", "²", "1.23.456"])
def test_what_is_no_number_is_refused(cell):
    with pytest.raises(Unreadable):
        read_number(cell, Form.COMMA)


def test_what_is_written_one_way_is_not_touched():
    assert decide("text", ["1,5"]) is None
    assert "1,5" == read("text", None, "1,5")
    assert "12" == read("number", Form.POINT, "12.0")
