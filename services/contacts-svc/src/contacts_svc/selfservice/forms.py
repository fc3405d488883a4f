"""The preference form: what it shows, and what was sent with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_date
from pydantic import ValidationError

from contacts_svc.people.schemas import ContactOut
from contacts_svc.permissions.schemas import TopicOut, WishesIn, WishesOut
from kantis_contracts.values import Channel, Language, Purpose

Texts = Mapping[str, str]
Options = list[tuple[str, str]]
_BY_ADDRESS = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.PHONE: "phone",
    Channel.LETTER: "address",
}
PAUSE_DAYS = ("30", "90", "180")
FREQUENCIES = ("1", "2", "4", "8")
MOST_FIELDS = 300
SHOWN = "shown."
"""Begins the names of the hidden fields that say which boxes the form offered, and whether they were ticked then."""


def channels_of(contact: ContactOut) -> list[Channel]:
    """Return the channels for which a person has an address."""
    return [channel for channel, field in _BY_ADDRESS.items() if getattr(contact, field)]


def boxes_of(contact: ContactOut) -> list[tuple[Channel, Purpose]]:
    """Return what a person may say yes or no to."""
    return [(channel, purpose) for purpose in Purpose for channel in channels_of(contact)]


def label_of(texts: Texts, channel: Channel, purpose: Purpose) -> str:
    """Return the words beside a box; they are the words that a yes is given to."""
    return f"{texts[purpose.value]} {texts[channel.value]}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the form is made of."""

    contact: ContactOut
    allowed: Mapping[tuple[Channel, Purpose], bool]
    """What the table of rules decides about each box."""
    topics: Sequence[TopicOut]
    wishes: WishesOut
    language: Language
    texts: Texts
    now: datetime

    def values(self) -> dict[str, Any]:
        """Return the values of the page."""
        texts, wishes = self.texts, self.wishes
        hours = [(str(hour), f"{hour:02}:00") for hour in range(25)]
        anytime = [("", texts["hour_any"])]
        return {
            "groups": self._groups(),
            "topics": self._topics(),
            "ranks": self._ranks(),
            "hours_from": anytime + hours[:-1],
            "hours_to": anytime + hours[1:],
            "hour_from": _text(wishes.hour_from),
            "hour_to": _text(wishes.hour_to),
            "days": [
                {
                    "name": f"day.{day}",
                    "label": texts[f"day_{day}"],
                    "checked": day in wishes.days,
                }
                for day in range(1, 8)
            ],
            "frequencies": self._frequencies(),
            "per_month": _text(wishes.per_month),
            "pauses": self._pauses(),
            "pause": "keep" if self._is_paused() else "",
        }

    def _groups(self) -> list[dict[str, object]]:
        return [
            {
                "title": self.texts[purpose.value],
                "boxes": [
                    {
                        "name": f"{channel.value}.{purpose.value}",
                        "label": label_of(self.texts, channel, purpose),
                        "checked": self.allowed.get((channel, purpose), False),
                        # Who takes the form must tell what was unticked from what was never offered.
                        "shown": f"{SHOWN}{channel.value}.{purpose.value}",
                    }
                    for channel, of in boxes_of(self.contact)
                    if of is purpose
                ],
            }
            for purpose in Purpose
        ]

    def _topics(self) -> list[dict[str, object]]:
        chosen = {None: "", True: "yes", False: "no"}
        options = [
            (value, self.texts[f"topic_{name}"])
            for value, name in (("", "any"), ("yes", "yes"), ("no", "no"))
        ]
        return [
            {
                "name": f"topic.{topic.key}",
                "label": topic.names.get(self.language.value) or next(iter(topic.names.values())),
                "options": options,
                "chosen": chosen[self.wishes.topics.get(topic.key)],
            }
            for topic in self.topics
        ]

    def _ranks(self) -> list[dict[str, object]]:
        channels = channels_of(self.contact)
        options: Options = [("", self.texts["rank_any"])]
        options += [(channel.value, self.texts[channel.value]) for channel in channels]
        liked = [channel for channel in self.wishes.channels if channel in channels]
        return [
            {
                "name": f"rank.{place}",
                "options": options,
                "chosen": liked[place].value if place < len(liked) else "",
            }
            for place in range(len(channels))
        ]

    def _frequencies(self) -> Options:
        known = _text(self.wishes.per_month)
        numbers = sorted({*FREQUENCIES, *([known] if known else [])}, key=int)
        return [("", self.texts["per_month_any"]), *((number, number) for number in numbers)]

    def _is_paused(self) -> bool:
        return self.wishes.paused_until is not None and self.now < self.wishes.paused_until

    def _pauses(self) -> Options:
        options: Options = [("", self.texts["pause_none"])]
        if self.wishes.paused_until is not None and self._is_paused():
            until = format_date(self.wishes.paused_until, "long", locale=self.language.value)
            options.append(("keep", f"{self.texts['pause_keep']} {until}"))
        return options + [(days, self.texts[f"pause_{days}"]) for days in PAUSE_DAYS]


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def offered(contact: ContactOut, sent: Mapping[str, str]) -> list[tuple[Channel, Purpose]]:
    """Return the boxes that a posted form has offered; all of them when it does not say."""
    boxes = boxes_of(contact)
    if not any(name.startswith(SHOWN) for name in sent):
        return boxes
    return [key for key in boxes if f"{SHOWN}{key[0].value}.{key[1].value}" in sent]


def shown_before(
    sent: Mapping[str, str], allowed: Mapping[tuple[Channel, Purpose], bool]
) -> dict[tuple[Channel, Purpose], bool]:
    """Return which boxes were ticked when the form was shown; where it does not say, those that would be now."""
    return {
        key: sent.get(f"{SHOWN}{key[0].value}.{key[1].value}", "yes" if now else "no") == "yes"
        for key, now in allowed.items()
    }


def read_wishes(
    sent: Mapping[str, str], before: WishesOut, topics: Sequence[TopicOut], *, now: datetime
) -> tuple[WishesIn, bool]:
    """Return the wishes that were sent with the form, and whether all of it made sense.

    What makes no sense leaves channels, hours, days and frequency as they were; topics and the pause are kept in any
    case, because they hold where messages are sent already. Topics that the form did not offer stay as they were; a
    channel that is chosen twice counts where it stands first.
    """
    said = dict(before.topics)
    for topic in topics:
        answer = sent.get(f"topic.{topic.key}", "")
        said.pop(topic.key, None)
        if answer in ("yes", "no"):
            said[topic.key] = answer == "yes"
    sure = {"topics": said, "paused_until": _pause(sent.get("pause", ""), before, now)}
    ranks = [sent.get(f"rank.{place}", "") for place in range(len(Channel))]
    try:
        return WishesIn.model_validate(
            {
                **sure,
                "channels": list(dict.fromkeys(rank for rank in ranks if rank)),
                "hour_from": sent.get("hour_from") or None,
                "hour_to": sent.get("hour_to") or None,
                "days": [day for day in range(1, 8) if f"day.{day}" in sent],
                "per_month": sent.get("per_month") or None,
            }
        ), True
    except ValidationError:
        return WishesIn.model_validate({**before.model_dump(exclude={"version"}), **sure}), False


def _pause(chosen: str, before: WishesOut, now: datetime) -> datetime | None:
    if chosen == "keep":
        return before.paused_until
    return now + timedelta(days=int(chosen)) if chosen in PAUSE_DAYS else None
