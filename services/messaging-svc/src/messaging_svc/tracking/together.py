"""Clicks and openings that come at the same time: looked up by one statement, kept by one, answered after its commit."""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from kantis_contracts.values import Channel, Purpose
from kantis_kit import outbox
from kantis_kit.groups import Statements
from messaging_svc.links import LinkMaker
from messaging_svc.templates.rendering import Compiled
from messaging_svc.tracking import events
from messaging_svc.tracking.model import Kept, Mail, Visitor, engagement
from messaging_svc.tracking.queries import BURST, target_of
from messaging_svc.tracking.usecases import engagement_of

_VERSIONS_HELD = 64
_FIELDS = len(Mail._fields)

_LOOK = """
    SELECT d.id, d.origin, d.channel, d.purpose, d.person_id, c.campaign_id, c.cell_id, d.response_code,
        d.template_version_id, coalesce(d.language, p.language, 'en') AS language,
        CASE WHEN d.state = 'accepted' THEN d.settled_at END AS accepted_at,
        CASE WHEN d.id = ANY($2::uuid[]) THEN (
            SELECT array_agg(DISTINCT e.link) FROM engagement e
            WHERE e.message_id = d.id AND e.kind = 'click' AND e.seen_at > $3) END AS followed
    FROM dispatch d
    LEFT JOIN dispatch_source c ON c.id = d.source_id
    LEFT JOIN person_card p ON p.person_id = d.person_id
    WHERE d.id = ANY($1::uuid[])
"""
_VERSIONS = "SELECT id, compiled FROM template_version WHERE id = ANY($1::uuid[])"
_CHANNELS = {one.value: one for one in Channel}
_PURPOSES: dict[str | None, Purpose | None] = {one.value: one for one in Purpose}
_COLUMNS = tuple(column.name for column in engagement.columns)
_TYPES = (
    "uuid",
    "text",
    "uuid",
    "int",
    "text",
    "text",
    "text",
    "bigint",
    "text",
    "text",
    "timestamptz",
)
_TOLD_TYPES = (
    "uuid",
    "text",
    "text",
    "timestamptz",
    "timestamptz",
    "uuid",
    "uuid",
    "text",
    "bytea",
)


def _arrays(types: Sequence[str], *, first: int) -> str:
    return ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, first))


_KEEP = f"""
    WITH told AS (
        INSERT INTO outbox ({", ".join(outbox.COLUMNS)})
        SELECT * FROM unnest({_arrays(_TOLD_TYPES, first=len(_COLUMNS) + 1)})
    )
    INSERT INTO engagement ({", ".join(_COLUMNS)}) SELECT * FROM unnest({_arrays(_TYPES, first=1)})
"""  # noqa: S608 - names of columns and types


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody followed a link of a message, or was shown it (no position)."""

    message_id: UUID
    position: int | None
    visitor: Visitor


class Visits:
    """Takes visits in groups; holds the versions of templates whose links were followed lately."""

    def __init__(self, own: LinkMaker) -> None:
        self._own = own
        self._versions: OrderedDict[UUID, Compiled] = OrderedDict()

    async def take(self, tx: Statements, visits: Sequence[Visit]) -> Sequence[str | None]:
        """Keep visits; return where each leads, nothing for one to a message or a link that is gone.

        An opening leads to the address of its own message, which nobody follows.
        """
        now = tx.clock.now()
        clicked = [one.message_id for one in visits if one.position is not None]
        asked = list({one.message_id for one in visits})
        rows = {row["id"]: row for row in await tx.look(_LOOK, asked, clicked, now - BURST)}
        mails = {id_: _mail(row) for id_, row in rows.items()}
        await self._load(tx, [mails[id_] for id_ in clicked if id_ in mails])
        followed: defaultdict[UUID, set[int]] = defaultdict(set)
        for id_, row in rows.items():
            followed[id_].update(row["followed"] or ())
        kept, targets = [], []
        for one in visits:
            message = mails.get(one.message_id)
            target = self._target(message, one.position) if message else None
            targets.append(target)
            if message is None or target is None:
                continue
            links = followed[message.id]
            if one.position is not None:
                links.add(one.position)
            burst = len(links) if one.position is not None else 1
            row = engagement_of(message, one.visitor, position=one.position, burst=burst, at=now)
            kept.append((row, message))
        if kept:
            await self._keep(tx, kept)
        return targets

    async def _keep(self, tx: Statements, kept: Sequence[tuple[Kept, Mail]]) -> None:
        told = [(row, message) for row, message in kept if message.origin != "test"]
        tx.stage(events.engaged(told, "click"), events.engaged(told, "open"))
        columns = [list(column) for column in zip(*(row for row, _ in kept), strict=True)]
        outgoing = tx.outbox_rows()
        staged = [list(column) for column in zip(*outgoing, strict=True)] or [
            [] for _ in _TOLD_TYPES
        ]
        await tx.put(_KEEP, *columns, *staged)

    def _target(self, message: Mail, position: int | None) -> str | None:
        if position is None:
            return self._own.base
        compiled = self._versions.get(message.template_version_id or message.id)
        return target_of(message, compiled, position, self._own) if compiled else None

    async def _load(self, tx: Statements, messages: Sequence[Mail]) -> None:
        missing = {
            one.template_version_id for one in messages if one.template_version_id
        } - self._versions.keys()
        if not missing:
            return
        while len(self._versions) > _VERSIONS_HELD:
            self._versions.popitem(last=False)
        for row in await tx.look(_VERSIONS, list(missing)):
            self._versions[row["id"]] = Compiled.from_json(orjson.loads(row["compiled"]))


def _mail(row: Sequence[Any]) -> Mail:
    """Return what a row of the look says: its first columns are these fields in their order."""
    id_, origin, channel, purpose, *rest = row[:_FIELDS]
    return Mail(id_, origin, _CHANNELS[channel], _PURPOSES.get(purpose), *rest)
