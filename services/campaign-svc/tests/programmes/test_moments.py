"""When a wait is over: a time of day where somebody lives, also where the clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_svc.programmes.moments import moment_of, over_at

OSLO = "Europe/Oslo"
ZONES = (OSLO, "UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia")
YEARS = (datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2040-01-01"))


def over(begun, *, days=0, hours=0, at=None, weekdays=(), zone=OSLO):
    start = datetime.fromisoformat(begun).replace(tzinfo=UTC)
    end = over_at(start, days=days, hours=hours, at=at, weekdays=weekdays, zone=zone)
    return f"{end:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("begun", "wait", "expected"),
    [
        pytest.param("2026-03-02T09:00", {"days": 3}, "2026-03-05T09:00", id="days"),
        pytest.param("2026-03-28T11:00", {"days": 1}, "2026-03-29T10:00", id="a day of 23 hours"),
        pytest.param("2026-10-24T10:00", {"days": 1}, "2026-10-25T11:00", id="a day of 25 hours"),
        pytest.param("2026-03-02T07:00", {"at": time(9)}, "2026-03-02T08:00", id="today"),
        pytest.param("2026-03-02T08:00", {"at": time(9)}, "2026-03-03T08:00", id="never at once"),
        pytest.param("2026-03-28T12:00", {"at": time(2, 30)}, "2026-03-29T01:30", id="leapt over"),
        pytest.param("2026-10-24T12:00", {"at": time(2, 30)}, "2026-10-25T00:30", id="comes twice"),
        pytest.param("2026-03-06T20:00", {"weekdays": (1,)}, "2026-03-08T23:00", id="on Monday"),
        pytest.param("2026-03-02T08:00", {"hours": 5, "at": time(9), "weekdays": (2,)}, "2026-03-03T08:00", id="all"),
        pytest.param("2026-03-02T20:00", {"at": time(9), "zone": "Nowhere/At_All"}, "2026-03-03T08:00", id="no zone"),
    ],
)  # fmt: skip
def test_a_wait_ends_at(begun, wait, expected):
    assert expected == over(begun, **wait)


@given(
    begun=st.datetimes(*YEARS, timezones=st.just(UTC)),
    days=st.integers(0, 400),
    hours=st.integers(0, 100),
    when=st.tuples(st.none() | st.times(), st.sets(st.integers(1, 7)), st.sampled_from(ZONES)),
)
def test_a_wait_never_ends_before_it_begins_and_never_a_fortnight_late(begun, days, hours, when):
    at, weekdays, zone = when
    end = over_at(begun, days=days, hours=hours, at=at, weekdays=weekdays, zone=zone)
    least = timedelta(days=days, hours=hours)

    assert begun <= end
    assert least - timedelta(hours=3) <= end - begun <= least + timedelta(days=14)


def test_a_date_is_a_time_where_the_person_lives():
    moment = moment_of(date(2026, 6, 1), days=-30, at=time(9), zone="Europe/Helsinki")

    assert datetime(2026, 5, 2, 6, tzinfo=UTC) == moment
