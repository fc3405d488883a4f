"""The two-working-day clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantis_kit.calendar import answer_due_at, date_in, is_working_day


@pytest.mark.parametrize(
    ("country", "came", "due"),
    [
        ("NO", "2026-03-02T09:00", "2026-03-04T23:00"),  # Monday: the end of Wednesday in Oslo
        ("NO", "2026-03-05T09:00", "2026-03-09T23:00"),  # Thursday: over the weekend to Monday
        ("NO", "2026-03-07T09:00", "2026-03-10T23:00"),  # Saturday: Monday and Tuesday
        ("NO", "2026-03-31T09:00", "2026-04-07T22:00"),  # before Easter: 1 April, then 7 April
        ("NO", "2026-05-15T09:00", "2026-05-19T22:00"),  # 17 May is a Sunday
        ("SE", "2026-04-30T09:00", "2026-05-05T22:00"),  # 1 May
        ("FI", "2026-12-04T09:00", "2026-12-08T22:00"),  # two hours east of UTC
        ("NO", "2026-03-02T23:30", "2026-03-05T23:00"),  # in Oslo it is Tuesday already
        ("XX", "2026-03-02T09:00", "2026-03-04T23:00"),  # a country without a calendar here
    ],
)
def test_an_answer_is_due_at_the_end_of_the_second_working_day(country, came, due):
    at = datetime.fromisoformat(came).replace(tzinfo=UTC)

    assert datetime.fromisoformat(due).replace(tzinfo=UTC) == answer_due_at(at, country)


def test_a_holiday_of_one_country_is_a_working_day_in_another():
    day = datetime(2027, 5, 17, tzinfo=UTC).date()

    assert (False, True) == (is_working_day(day, "NO"), is_working_day(day, "SE"))


@given(hours=st.integers(0, 6 * 365 * 24), country=st.sampled_from(["NO", "SE", "DK", "FI", "IS"]))
def test_an_answer_has_always_two_whole_days_and_never_a_fortnight(hours, country):
    at = datetime(2024, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hours)

    left = answer_due_at(at, country) - at

    assert timedelta(days=2) <= left < timedelta(days=14)


def test_the_last_evening_of_a_year_is_the_new_year_further_east():
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert ["2026-12-31", "2027-01-01", "2027-01-01", "2027-01-01"] == [
        str(date_in(moment, country)) for country in ("IS", "NO", "FI", "XX")
    ]
