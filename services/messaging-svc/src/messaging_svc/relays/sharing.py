"""What a sender tells of its relays and slow domains, and what it learns of the others and of people's changes."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import orjson
from sqlalchemy import select

from kantis_kit.tx import Scope, Tx, write
from kantis_kit.vault import Vault
from messaging_svc.openings.usecases import ask_again
from messaging_svc.relays import queries, sql
from messaging_svc.relays.model import SEALED, slow_domain
from messaging_svc.relays.routes import Routes
from messaging_svc.relays.traffic import Slow, Traffic
from messaging_svc.settings import MessagingSettings

_ACTOR = "sender"
_LOOK_SECONDS = 0.5
_TELL_SECONDS = 30.0
_LONG_AGO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a relay fares, as one sender sees it."""

    id: UUID
    state: Literal["idle", "up", "down"]
    since: datetime
    answer: str
    connections: int
    waiting: int

    @property
    def news(self) -> tuple[object, ...]:
        """What is told at once when it changes; the rest is told now and then."""
        return self.id, self.state, self.since


class Board:
    """Where senders and people tell each other of relays and domains; a sender looks at it twice a second."""

    def __init__(
        self, scope: Scope, settings: MessagingSettings, me: UUID, traffic: Traffic
    ) -> None:
        self._scope = scope
        self._settings = settings
        self._me = me
        self._traffic = traffic
        self._vault = Vault.from_text(settings.link_keys.get_secret_value(), purpose=SEALED)
        self._revision = 0
        self._look_at = self._tell_at = 0.0
        self._told: list[tuple[object, ...]] = []

    async def look(self, standing: Sequence[Standing], *, has_returned: bool) -> Routes | None:
        """Tell and learn; return the routes when they are others now."""
        time = asyncio.get_running_loop().time()
        news = [one.news for one in standing]
        if time < self._look_at and news == self._told and not has_returned:
            return None
        self._look_at = time + _LOOK_SECONDS
        async with write(self._scope, actor=_ACTOR) as tx:
            if news != self._told or time >= self._tell_at:
                await self._tell(tx, standing)
                self._tell_at = time + _TELL_SECONDS
            await self._share_slow(tx)
            routes = await self._learn(tx)
            waited_for = [sql.FOR_RELAY] if has_returned else []
            if routes is not None:
                waited_for = [sql.FOR_RELAY, sql.FOR_DOMAIN]
            if waited_for:
                await ask_again(tx, "rule = ANY(cast(:rules AS text[]))", rules=waited_for)
        self._told = news
        return routes

    async def _tell(self, tx: Tx, standing: Sequence[Standing]) -> None:
        now = tx.clock.now()
        rows = orjson.dumps([asdict(one) for one in standing], default=str).decode()
        await tx.execute(sql.TELL, {"relays": rows, "me": self._me, "now": now})
        ids = [one.id for one in standing]
        gone = {"me": self._me, "relays": ids, "long_ago": now - _LONG_AGO}
        await tx.execute(sql.FORGET_GONE, gone)

    async def _share_slow(self, tx: Tx) -> None:
        closed, opened = self._traffic.take_closed(), self._traffic.take_opened()
        now = tx.clock.now()
        if opened:
            await tx.execute(sql.OPEN, {"lanes": opened, "long_ago": now - _LONG_AGO})
        if closed:
            rows = [
                {"lane": one.lane, "until": one.closed_until, "closings": one.closings, "answer": one.answer}
                for one in closed
            ]  # fmt: skip
            await tx.execute(sql.CLOSE, {"lanes": orjson.dumps(rows).decode(), "now": now})

    async def _learn(self, tx: Tx) -> Routes | None:
        since = tx.clock.now() - queries.FRESH
        found = (await tx.execute(sql.STANDING, {"me": self._me, "since": since})).one()
        self._traffic.senders = 1 + found.others
        slow = await tx.execute(select(slow_domain))
        self._traffic.adopt(
            Slow(row.lane, row.closed_until, row.closings, row.last_answer) for row in slow
        )
        if found.revision == self._revision:
            return None
        self._revision = found.revision
        return await queries.get_routes(tx, self._settings, self._vault)
