"""What the first leads of a form have in common: worked out once by the rules of the long way, filled in for each lead.

Two posts to a form differ in a few values only. Which words were seen, what they permit, whom that asks: all of it
follows from the form, the language, the tick and the kinds of address.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import orjson

from contacts_svc.intake import events
from contacts_svc.intake.boxes import boxes_of
from contacts_svc.intake.model import Form, Lead
from contacts_svc.intake.schemas import MAIN_BOX
from contacts_svc.intake.usecases import guards
from contacts_svc.intake.usecases.asking import asked_of, question_values
from contacts_svc.intake.usecases.knowledge import needs_owner
from contacts_svc.intake.usecases.leads import Posted, consents, lead_values, origin_of
from contacts_svc.people.model import Origin
from contacts_svc.permissions.usecases.first import EntryPattern, entry_patterns
from contacts_svc.touched import Family
from kantis_contracts.values import Language

_NOBODY, _NEVER = UUID(int=0), datetime(1970, 1, 1, tzinfo=UTC)
"""What stands in a pattern where each lead fills in its own."""
_LEAD_JSON = ("answers", "topics", "boxes")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The rows of a first lead but for whom it is about, what they wrote, and when."""

    form: Form
    window: str
    """Under which the posts to the form are counted."""
    origin: Origin
    lead: Mapping[str, Any]
    told: Mapping[str, Any]
    """What the other services are told of the lead."""
    entries: Sequence[EntryPattern]
    """What the tick says, one for each channel and purpose."""
    question: Mapping[str, Any] | None
    """What the owner of the mailbox is asked; None when nobody is."""
    member: Mapping[str, Any] | None
    families: int
    """Which facts of the person are new."""


class Patterns:
    """The patterns of one form, as it was read."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._known: dict[tuple[Language, bool, bool, bool], Pattern] = {}

    def of(self, posted: Posted, language: Language) -> Pattern:
        """Return the pattern of a post that the short way has read."""
        draft = posted.draft
        key = (language, bool(posted.seen), draft.email is not None, draft.phone is not None)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _pattern(self._form, posted, language)
        return found


def _pattern(form: Form, posted: Posted, language: Language) -> Pattern:
    draft, box = posted.draft, boxes_of(form)[MAIN_BOX]
    seen = box.words(language, form.default_language)
    words = dict.fromkeys(posted.seen, seen)
    values = lead_values(form, posted, _NOBODY, words, version=seen[1], evidence={}, now=_NEVER)
    lead = cast("Lead", SimpleNamespace(**values))
    entries = entry_patterns(consents(form, lead, draft, words, now=_NEVER))
    asks = None
    if draft.email is not None and needs_owner(form, lead):
        asks = asked_of(box, seen, ())
    families = Family.PROFILE | Family.REACH
    if entries:
        families |= Family.PERMISSION
    if form.list_id is not None:
        families |= Family.LIST
    return Pattern(
        form,
        guards.window_of(form.id),
        origin_of(draft),
        as_json(values, _LEAD_JSON),
        events.lead_told(lead, form),
        entries,
        as_json(question_values(lead, "", {MAIN_BOX: asks}, now=_NEVER), ("purposes", "boxes"))
        if asks
        else None,
        {"segment_id": form.list_id, "source": f"form:{form.key}"} if form.list_id else None,
        int(families),
    )


def as_json(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values of a row, those of some columns as JSON."""
    return {**values, **{name: orjson.dumps(values[name]).decode() for name in names}}
