"""The first entries about persons of whom nothing is known yet, as the rows that `record` would leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contacts_svc.permissions import events
from contacts_svc.permissions.model import Statement
from kantis_kit.ids import new_id


@dataclass(frozen=True, slots=True)
class FirstEntry:
    """One statement as an entry of the ledger and the state that follows."""

    state: dict[str, Any]
    entry: dict[str, Any]

    def told(self) -> bytes:
        """What the other services are told, as JSON."""
        return events.first_permission(self.state)


def first_entries(
    statements: Sequence[Statement], *, actor: str, recorded_at: datetime
) -> list[FirstEntry]:
    """Describe the entries of statements, at most one about each person, channel and purpose."""
    entries = []
    for said in sorted(statements, key=lambda one: one.key):
        shared = {
            "person_id": said.person_id,
            "channel": said.channel.value,
            "purpose": said.purpose.value,
            "state": said.state.value,
            "version": 1,
            "legal_basis": said.legal_basis,
            "source": said.source,
            "occurred_at": said.occurred_at,
        }
        ledger_id = new_id()
        entry = {
            **shared,
            "id": ledger_id,
            "text_shown": said.text_shown,
            "text_version": said.text_version,
            "evidence": orjson.dumps(dict(said.evidence), default=str).decode(),
            "actor": actor,
            "recorded_at": recorded_at,
        }
        entries.append(FirstEntry({**shared, "ledger_id": ledger_id}, entry))
    return entries
