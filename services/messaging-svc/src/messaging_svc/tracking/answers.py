"""What a posted preference form says no to. contacts-svc shows the form; the names of its fields are agreed upon.

`shown.<channel>.<purpose>` = yes or no for each box that was offered: whether it was ticked; `<channel>.<purpose>` when it is
ticked now; `topic.<key>` = yes, no or nothing; `pause` = days, `keep` or nothing; `everything` for a no to all of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kantis_contracts.values import Channel, Purpose

MOST_FIELDS = 300
_MOST_TOPICS = 100
_LONGEST_PAUSE_DAYS = 366
_TOPIC = re.compile(r"topic\.([a-z0-9_-]{1,60})")
_SHOWN = "shown."


@dataclass(frozen=True, slots=True)
class Noes:
    """What a person does not want, as far as the form tells."""

    everything: bool
    boxes: Mapping[tuple[Channel, Purpose], bool]
    """Boxes that were offered and are not ticked now, and whether they were ticked when they were shown."""
    topics: tuple[str, ...]
    pause_days: int | None


def read_noes(sent: Mapping[str, str]) -> Noes:
    """Read a form; what cannot be understood says nothing."""
    boxes = {}
    for channel in Channel:
        for purpose in Purpose:
            name = f"{channel.value}.{purpose.value}"
            if f"{_SHOWN}{name}" in sent and name not in sent:
                boxes[channel, purpose] = sent[f"{_SHOWN}{name}"] == "yes"
    topics = sorted(
        found[1]
        for name, value in sent.items()
        if value == "no" and (found := _TOPIC.fullmatch(name))
    )
    return Noes(
        "everything" in sent, boxes, tuple(topics[:_MOST_TOPICS]), _pause(sent.get("pause", ""))
    )


def _pause(chosen: str) -> int | None:
    if not re.fullmatch("[0-9]{1,3}", chosen):
        return None
    days = int(chosen)
    return days if 0 < days <= _LONGEST_PAUSE_DAYS else None
