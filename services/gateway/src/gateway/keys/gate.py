"""From a presented key to a principal, and from a principal to a token for one service.

A verified key is believed for two seconds: that is how long a revocation can take. Nothing that is presented is kept,
only its hash.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.keys import queries, usecases
from gateway.keys.errors import KeyRefused, TooManyAttempts
from gateway.keys.model import ApiKey, digest_of, prefix_of
from gateway.keys.roles import scopes_of
from gateway.limits.burst import Burst
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.errors import Unavailable
from kantis_kit.signing import Keys
from kantis_kit.tx import Scope, read, write

CACHE_SIZE = 10_000
TOKEN_REUSE = timedelta(seconds=30)
_NO_DIGEST = bytes(32)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kantis"'}


@dataclass(slots=True)
class _Known:
    principal: Principal
    fresh_until: datetime
    expires_at: datetime | None


class KeyGate:
    """Checks keys against the database; remembers good ones for a moment."""

    def __init__(self, scope: Scope, attempts: Burst, *, cache_seconds: float) -> None:
        self._scope = scope
        self._attempts = attempts
        self._cache_for = timedelta(seconds=cache_seconds)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Future[Principal]] = {}

    async def principal(self, key: str, *, address: str) -> Principal:
        """Return who the key is.

        Raises:
            KeyRefused: unknown, revoked or expired, in the same words.
            TooManyAttempts: this address has tried too many unknown keys; nothing was looked up.
        """
        digest = digest_of(key)
        known = self._known.get(digest)
        now = self._scope.clock.now()
        if known is not None and now < known.fresh_until:
            if known.expires_at is None or now < known.expires_at:
                return known.principal
            raise KeyRefused(headers=_CHALLENGE)
        waiting = self._under_way.get(digest)
        if waiting is not None:
            return await asyncio.shield(waiting)
        if known is None:
            # Counted before it is looked up, or a thousand at once would all be looked up. A key that was good before
            # is not an attempt: those who guess next to it cannot lock it out.
            verdict = self._attempts.hit(address)
            if not verdict.allowed:
                raise TooManyAttempts(
                    "Wait, then send a key that exists", headers=verdict.headers(refused=True)
                )
        try:
            principal = await self._look_up_once(key, digest)
        except KeyRefused:
            raise
        except BaseException:
            # Nobody could say what the key is worth: that is no attempt either.
            self._give_back(known, address)
            raise
        self._give_back(known, address)
        return principal

    def _give_back(self, known: _Known | None, address: str) -> None:
        if known is None:
            self._attempts.give_back(address)

    async def _look_up_once(self, key: str, digest: bytes) -> Principal:
        future = asyncio.get_running_loop().create_future()
        self._under_way[digest] = future
        try:
            principal = await self._look_up(key, digest)
        except BaseException as error:
            if isinstance(error, KeyRefused):
                self._known.pop(digest, None)
            # Who waits for the same key must not be cancelled because the first one was.
            future.set_exception(error if isinstance(error, Exception) else Unavailable())
            future.exception()  # nobody else may be waiting: that is no lost error
            raise
        else:
            future.set_result(principal)
            return principal
        finally:
            del self._under_way[digest]

    async def _look_up(self, key: str, digest: bytes) -> Principal:
        prefix = prefix_of(key)
        row: ApiKey | None = None
        if prefix is not None:
            async with read(self._scope) as tx:
                row = await queries.find_by_prefix(tx, prefix)
        now = self._scope.clock.now()
        fits = row.fits(digest) if row is not None else digest == _NO_DIGEST
        if row is None or not fits or not row.is_good(at=now):
            raise KeyRefused(headers=_CHALLENGE)
        if row.last_used_at is None or row.last_used_at <= now - usecases.USE_NOTED_EVERY:
            async with write(self._scope, actor="gateway") as tx_write:
                await usecases.note_use(tx_write, row.id)
        principal = Principal(id=str(row.id), name=row.name, scopes=scopes_of(row.role))
        self._known[digest] = _Known(principal, now + self._cache_for, row.expires_at)
        self._known.move_to_end(digest)
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return principal


class TokenMint:
    """Signs tokens for services; one token serves a key and a service for half a minute."""

    def __init__(self, keys: Keys, scope: Scope) -> None:
        self._keys = keys
        self._clock = scope.clock
        self._made: OrderedDict[tuple[Principal, str], tuple[bytes, datetime]] = OrderedDict()

    def header(self, principal: Principal, service: str) -> bytes:
        """Return the Authorization header that introduces the principal to the service."""
        now = self._clock.now()
        made = self._made.get((principal, service))
        if made is not None and now < made[1]:
            return made[0]
        token = issue_token(self._keys, principal, audience=service, now=now)
        header = b"Bearer " + token.encode()
        self._made[(principal, service)] = (header, now + TOKEN_REUSE)
        self._made.move_to_end((principal, service))
        if len(self._made) > CACHE_SIZE:
            self._made.popitem(last=False)
        return header
