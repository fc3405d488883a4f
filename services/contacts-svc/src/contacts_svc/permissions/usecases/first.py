"""The first entries about persons of whom nothing is known yet, as the rows that `record` would leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contacts_svc.permissions import events
from contacts_svc.permissions.model import Statement
from kantis_kit.ids import new_id_text


@dataclass(slots=True)
class FirstEntry:
    """One statement as an entry of the ledger and the state that follows."""

    state: dict[str, Any]
    entry: dict[str, Any]

    def told(self) -> bytes:
        """What the other services are told, as JSON."""
        return events.first_permission(self.state)


@dataclass(frozen=True, slots=True)
class EntryPattern:
    """What a statement says, but for whom it is about, what proves it, and when."""

    said: Mapping[str, Any]
    """What state and ledger share."""
    text_shown: str
    text_version: str
    evidence: Mapping[str, Any]
    """Of the proof, what every such statement has."""

    def fill(
        self, person_id: str, evidence: Mapping[str, Any], *, actor: str, now: datetime
    ) -> FirstEntry:
        """Describe the entry of a statement about somebody; `evidence` comes before and beside that of the pattern."""
        shared = {**self.said, "person_id": person_id, "occurred_at": now}
        ledger_id = new_id_text()
        entry = {
            **shared,
            "id": ledger_id,
            "text_shown": self.text_shown,
            "text_version": self.text_version,
            "evidence": orjson.dumps({**self.evidence, **evidence}).decode(),
            "actor": actor,
            "recorded_at": now,
        }
        return FirstEntry({**shared, "ledger_id": ledger_id}, entry)


def entry_patterns(statements: Sequence[Statement]) -> list[EntryPattern]:
    """Return the patterns of statements, at most one about each channel and purpose, in the order of `record`."""
    return [
        EntryPattern(
            {
                "channel": said.channel.value,
                "purpose": said.purpose.value,
                "state": said.state.value,
                "version": 1,
                "legal_basis": said.legal_basis,
                "source": said.source,
            },
            said.text_shown,
            said.text_version,
            dict(said.evidence),
        )
        for said in sorted(statements, key=lambda one: one.key)
    ]


__all__ = ["EntryPattern", "FirstEntry", "entry_patterns"]
