"""The right of withdrawal: how many days a consumer has in a country, and on which day they end."""

from datetime import date, datetime, timedelta

from kantis_kit.calendar import date_in, is_working_day

LEGAL_DAYS = {"NO": 14, "SE": 14, "DK": 14, "FI": 14, "IS": 14}
"""Source: angrerettloven § 21 (NO), lag 2005:59 2 kap. 10 § (SE), forbrugeraftaleloven § 19 (DK),
kuluttajansuojalaki 6:14 (FI), lög 16/2016 16. gr. (IS); all follow Directive 2011/83/EU art. 9."""
DEFAULT_DAYS = 14


def last_day(arrived_at: datetime, country: str, *, extra_days: int = 0) -> date:
    """Return the last day on which a consumer may withdraw who got the last of the goods then.

    The day of the arrival does not count; a period that would end on a day off ends on the next working day.

    Source: Directive 2011/83/EU art. 9(2)(b) and recital 41; Regulation 1182/71 art. 3.
    """
    days = LEGAL_DAYS.get(country, DEFAULT_DAYS) + extra_days
    day = date_in(arrived_at, country) + timedelta(days=days)
    known = country if country in LEGAL_DAYS else "NO"
    while not is_working_day(day, known):
        day += timedelta(days=1)
    return day
