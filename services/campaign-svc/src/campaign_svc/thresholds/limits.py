"""From where on what a pre-flight notices needs a signature or forbids the launch. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """Above so many a finding is yellow, above so many it is red; None: never. Percent of the members, or a number."""

    yellow: int | None = None
    red: int | None = None

    def level_of(self, count: int, members: int) -> str:
        """Return green, yellow or red for so many of the members."""
        return self._level(count * _WHOLE, members)

    def level_above(self, count: int) -> str:
        """Return green, yellow or red for a number that is no share of anything."""
        return self._level(count, 1)

    def _level(self, count: int, times: int) -> str:
        for level, limit in (("red", self.red), ("yellow", self.yellow)):
            if limit is not None and count > limit * times:
                return level
        return "green"


DEFAULTS: Mapping[str, Limit] = {
    "missing_preferred_name": Limit(50),
    "doubtful_names": Limit(5),
    "likely_duplicates": Limit(1),
    "poor_data": Limit(30),
    "tired": Limit(20),
    "debtors": Limit(0),
    "unreachable": Limit(90),
    "wash_old": Limit(10),
    "without_text": Limit(10),
    "language_missing": Limit(20),
    # From 5,000 mails a day on, the large receivers demand SPF, DKIM and DMARC that fit together, and refuse the others.
    # Source: Google, email sender guidelines; Microsoft, requirements for high volume senders, 2026-11.
    "sender_not_in_order": Limit(0, 5_000),
    "sender_doubtful": Limit(5_000),
    "sender_unchecked": Limit(5_000),
}
"""What can be weighed, and the limits while the company has set none of its own."""

APPROVAL = "approval"
"""The number of pieces above which a second person must approve; its `red` alone counts."""
EXPLAINED: Mapping[str, str] = {
    "missing_preferred_name": "% of the members who have given no name to be called by",
    "doubtful_names": "% of the members whose name does not look like one",
    "likely_duplicates": "% of the members who look like another one",
    "poor_data": "% of the members with a data quality score below 50",
    "tired": "% of the members who have got many messages within a week",
    "debtors": "% of the members who are reminded of an invoice, where they are not left out",
    "unreachable": "% of the members whom none of the channels reaches",
    "wash_old": "% of the members left out for a register that was not washed lately",
    "without_text": "% of the members whose consent keeps no shown text",
    "language_missing": "% of the members in whose language a template is not written",
    "sender_not_in_order": "e-mails of a launch whose sender SPF, DKIM or DMARC do not speak for",
    "sender_doubtful": "e-mails of a launch about whose sender the DNS says too little",
    "sender_unchecked": "e-mails of a launch whose sender nobody has checked for a week",
    APPROVAL: "pieces above which a second person must approve the launch (red)",
}
