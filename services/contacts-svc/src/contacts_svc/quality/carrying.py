"""What people allow, when two records become one and two again: a no is never lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import LedgerEntry, PermissionNow, Preference, Statement
from contacts_svc.quality.model import Merge
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Purpose
from kantis_kit.tx import ReadTx, Tx

Key = tuple[str, str]
_NO = PermissionState.WITHDRAWN


async def _states(tx: ReadTx, person_id: UUID) -> dict[Key, PermissionNow]:
    rows = await tx.scalars(select(PermissionNow).where(col(PermissionNow.person_id) == person_id))
    return {(one.channel, one.purpose): one for one in rows}


async def carry(
    tx: Tx, merged_id: UUID, known_id: UUID, *, only_noes: bool = False
) -> list[list[str]]:
    """Enter for the known person what the merged one said; return the yeses that came with it.

    A no counts against a yes of either, whichever is older. A yes counts only where the known person has said nothing;
    the words it was given to come with it.
    """
    theirs, mine = await _states(tx, merged_id), await _states(tx, known_id)
    statements, yeses = [], []
    for key, one in sorted(theirs.items()):
        held = mine.get(key)
        evidence = {"merged_from": str(merged_id), "ledger_id": str(one.ledger_id)}
        place = (known_id, Channel(one.channel), Purpose(one.purpose))
        if one.state == _NO and (held is None or held.state != _NO):
            statements.append(Statement(*place, _NO, "merge", tx.clock.now(), evidence=evidence))
        elif one.state == PermissionState.GRANTED and held is None and not only_noes:
            said = await _yes_of(tx, one)
            statements.append(
                Statement(
                    *place,
                    PermissionState.GRANTED,
                    one.source,
                    one.occurred_at,
                    said.text_shown if said else "",
                    said.text_version if said else "",
                    one.legal_basis,
                    evidence,
                )
            )
            yeses.append([*key, one.occurred_at.isoformat()])
    await permissions.record(tx, statements)
    return yeses


async def _yes_of(tx: ReadTx, now: PermissionNow) -> LedgerEntry | None:
    """Return the entry of the yes that holds: a question after it may be the newest entry."""
    found: LedgerEntry | None = await tx.scalar(
        select(LedgerEntry)
        .where(
            col(LedgerEntry.person_id) == now.person_id,
            col(LedgerEntry.channel) == now.channel,
            col(LedgerEntry.purpose) == now.purpose,
            col(LedgerEntry.state) == PermissionState.GRANTED.value,
            col(LedgerEntry.occurred_at) == now.occurred_at,
        )
        .order_by(col(LedgerEntry.seq).desc())
        .limit(1)
    )
    return found


async def part_permissions(tx: Tx, row: Merge, yeses: Sequence[Sequence[str]]) -> None:
    """Take back the yeses that came with the merged person, and let a no that was given meanwhile hold for both."""
    known, merged = await _states(tx, row.known_id), await _states(tx, row.merged_id)
    now = tx.clock.now()
    evidence = {"merge_id": str(row.id)}
    statements = [
        Statement(
            row.merged_id,
            Channel(channel),
            Purpose(purpose),
            _NO,
            "merge undone",
            now,
            evidence=evidence,
        )
        for (channel, purpose), one in sorted(known.items())
        if one.state == _NO
        and one.occurred_at >= row.merged_at
        and not ((channel, purpose) in merged and merged[channel, purpose].state == _NO)
    ]
    for channel, purpose, at in yeses:
        held = known.get((channel, purpose))
        if (
            held is not None
            and held.state == PermissionState.GRANTED
            and held.occurred_at == datetime.fromisoformat(at)
        ):
            statements.append(
                Statement(
                    row.known_id,
                    Channel(channel),
                    Purpose(purpose),
                    _NO,
                    "merge undone",
                    now,
                    evidence=evidence,
                )
            )
    await permissions.record(tx, statements)


async def stricter_preference(tx: Tx, known_id: UUID, dropped: Sequence[Mapping[str, Any]]) -> None:
    """Where both had said how they want to be written to, the stricter holds."""
    for other in dropped:
        mine: Preference | None = await tx.get(Preference, known_id)
        if mine is None:
            continue
        topics = dict(mine.topics)
        for topic, wanted in other["topics"].items():
            topics[topic] = wanted and topics.get(topic, True)
        fewest = [one for one in (mine.per_month, other["per_month"]) if one is not None]
        paused = other["paused_until"] and datetime.fromisoformat(other["paused_until"])
        longest = [one for one in (mine.paused_until, paused) if one]
        stricter = (topics, min(fewest, default=None), max(longest, default=None))
        if stricter != (mine.topics, mine.per_month, mine.paused_until):
            mine.topics, mine.per_month, mine.paused_until = stricter
            mine.version, mine.updated_at = mine.version + 1, tx.clock.now()
    await permissions.announce_wishes(tx, [known_id])


async def part_wishes(tx: Tx, row: Merge, kept: Mapping[str, Any]) -> None:
    """Tell others of the known person's wishes when those that came with the merged one have gone back.

    An empty wish stays, with a version that grows: others keep the one that they were told of last.
    """
    if not kept["moved"].get("preference"):
        return
    theirs: Preference | None = await tx.get(Preference, row.merged_id)
    if theirs is None:
        return
    tx.add(
        Preference(person_id=row.known_id, version=theirs.version + 1, updated_at=tx.clock.now())
    )
    # What is told is read from the table.
    await tx.flush()
    await permissions.announce_wishes(tx, [row.known_id, row.merged_id])
