"""Make, revoke and note the use of keys."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col

from gateway.keys.errors import KeyNotFound, MoreThanYouHave
from gateway.keys.model import ApiKey, digest_of, make_secret
from gateway.keys.roles import Role, scopes_of
from kantis_kit.auth.principal import Principal
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

USE_NOTED_EVERY = timedelta(minutes=1)


async def create_key(
    tx: Tx,
    role: str,
    name: str,
    *,
    expires_at: datetime | None = None,
    caller: Principal | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return its row and the key itself, which nobody can read again.

    Args:
        tx: the transaction.
        role: one of `Role`.
        name: who or what uses the key.
        expires_at: when it ends by itself.
        caller: who asks through the API; None is the operator at the command line.

    Raises:
        MoreThanYouHave: the role may do what the caller may not.
        ValueError: there is no such role.
    """
    wanted = scopes_of(Role(role))
    if caller is not None and not all(caller.may(scope) for scope in wanted):
        raise MoreThanYouHave(f"Your key may not do all that a key of the role {role} may")
    secret, prefix = make_secret()
    key = ApiKey(
        id=new_id(),
        prefix=prefix,
        hash=digest_of(secret),
        role=Role(role).value,
        name=name,
        created_at=tx.clock.now(),
        created_by=tx.actor,
        expires_at=expires_at,
    )
    tx.add(key)
    tx.audit("key.created", str(key.id), role=key.role, name=key.name, prefix=prefix)
    return key, secret


async def revoke_key(tx: Tx, key_id: UUID) -> ApiKey:
    """End a key now. Idempotent: the first revocation counts.

    Raises:
        KeyNotFound: there is no such key.
    """
    now = tx.clock.now()
    changed = await tx.execute(
        update(ApiKey)
        .where(col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=now)
        .returning(col(ApiKey.id))
    )
    if changed.first() is not None:
        tx.audit("key.revoked", str(key_id))
    key = await tx.get(ApiKey, key_id)
    if key is None:
        raise KeyNotFound
    return key


async def note_use(tx: Tx, key_id: UUID) -> None:
    """Remember that the key was used, once a minute at most."""
    now = tx.clock.now()
    last = col(ApiKey.last_used_at)
    await tx.execute(
        update(ApiKey)
        .where(col(ApiKey.id) == key_id, last.is_(None) | (last <= now - USE_NOTED_EVERY))
        .values(last_used_at=now)
    )
