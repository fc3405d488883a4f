"""Databases and roles: one database per service, an owner that migrates and a run-time role that only works with rows.

Works the same on the embedded PostgreSQL and on a server (15 or newer) where the administrator may be a superuser or
a role with CREATEDB and CREATEROLE.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from kantis_kit.errors import KantisError

_PROVISION_LOCK = 0x6B616E70
"""Advisory lock ('kanp'): roles are shared by the whole server, and two writers at once would collide."""

_SCRAM_ITERATIONS = 4096  # PostgreSQL's own default; the passwords are random, not chosen by people
_LONGEST_NAME = 63 - len("_broker_client")  # PostgreSQL cuts identifiers at 63 bytes in silence

_OLDEST_SERVER = 150000
_BUILTIN_LOCALES_SINCE = 170000
_GRANT_OPTIONS_SINCE = 160000

OWNER_LIMITS: Mapping[str, str] = {
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "60s",
    "statement_timeout": "0",  # building an index on a large table takes as long as it takes
}
APP_LIMITS: Mapping[str, str] = {
    "statement_timeout": "30s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "60s",
}


class ProvisionError(KantisError):
    """A database or role could not be made, or a password could not be read."""


class Passwords(Protocol):
    """Where the password of a role comes from."""

    def password(self, role: str) -> str:
        """Return the role's password."""
        ...


class Secrets:
    """Passwords that we generate ourselves, kept in one JSON file that only its owner may read.

    One process writes: the one that holds the data folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def password(self, role: str) -> str:
        """Return the role's password; made, and on the disk, at the first call.

        Raises:
            ProvisionError: the file is damaged, or others than its owner may read it.
        """
        known = self.read()
        if role not in known:
            known[role] = secrets.token_urlsafe(32)
            self._write(known)
        return known[role]

    def read(self) -> dict[str, str]:
        """Return everything that the file holds; nothing when there is no file yet."""
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        if mode & 0o077:
            message = (
                f"{self._path} holds passwords and may be read by others (mode {mode:04o}). "
                f"Mend it with: chmod 600 {self._path}"
            )
            raise ProvisionError(message)
        try:
            found = json.loads(text)
        except ValueError as error:
            message = f"{self._path} is not JSON ({error}). Put it back from a backup."
            raise ProvisionError(message) from error
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            message = f"{self._path} must hold an object of role names and passwords."
            raise ProvisionError(message)
        return found

    def _write(self, known: Mapping[str, str]) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(dict(sorted(known.items())), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        sync_folder(self._path.parent)


class SecretFiles:
    """Passwords that a platform mounts: one file per role in a folder, named as the role."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def password(self, role: str) -> str:
        """Return the content of the role's file, without surrounding white space.

        Raises:
            ProvisionError: there is no such file, or it is empty.
        """
        path = self._folder / role
        try:
            password = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            message = f"The password of the role {role} is read from {path}: {error.strerror}. Put it there."
            raise ProvisionError(message) from error
        if not password:
            message = f"{path} is empty: it must hold the password of the role {role}."
            raise ProvisionError(message)
        return password


@dataclass(frozen=True)
class ServiceDsns:
    """How a service reaches its database."""

    owner_dsn: str = field(repr=False)
    app_dsn: str = field(repr=False)
    client_dsns: Mapping[str, str] = field(default_factory=dict, repr=False)


def sync_folder(folder: Path) -> None:
    """Bring a rename or a new name in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identifier(name: str) -> str:
    """Return a service's name as a part of database and role names (`orders-svc` → `orders_svc`).

    Raises:
        ProvisionError: the name has other characters than a-z, 0-9, - and _, or is too long.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or len(name) > _LONGEST_NAME:
        message = (
            f"{name!r} cannot name a database: use at most {_LONGEST_NAME} of a-z, 0-9, - and _, "
            "beginning with a letter."
        )
        raise ProvisionError(message)
    return name.replace("-", "_")


def database_name(service: str) -> str:
    """Return the name of a service's database."""
    return f"kantis_{identifier(service)}"


def with_login(dsn: str, *, role: str, password: str, database: str) -> str:
    """Return the same server's address for another role and database."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    login = f"{quote(role, safe='')}:{quote(password, safe='')}"
    return urlunsplit(
        parts._replace(netloc=f"{login}@{place}", path=f"/{quote(database, safe='')}")
    )


def scram_verifier(password: str, iterations: int = _SCRAM_ITERATIONS) -> str:
    """Return what PostgreSQL stores for a password, so that the password itself is in no statement and no log.

    Raises:
        ProvisionError: the password is empty or not printable ASCII (others would need SASLprep).

    Source: RFC 5802, RFC 7677.
    """
    if not re.fullmatch(r"[\x21-\x7e]+", password):
        raise ProvisionError("A database password must be printable ASCII without spaces.")
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(value).decode() for value in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def addresses(
    admin_dsn: str,
    service: str,
    *,
    passwords: Passwords,
    clients: Sequence[str] = (),
    database: str | None = None,
) -> ServiceDsns:
    """Return the addresses that `provision` sets up, without asking the server."""
    name = identifier(service)
    database = database or database_name(service)

    def dsn(role: str) -> str:
        return with_login(
            admin_dsn, role=role, password=passwords.password(role), database=database
        )

    return ServiceDsns(
        owner_dsn=dsn(f"{name}_owner"),
        app_dsn=dsn(f"{name}_app"),
        client_dsns={client: dsn(f"{name}_{identifier(client)}_client") for client in clients},
    )


async def provision(
    admin_dsn: str,
    service: str,
    *,
    passwords: Passwords,
    clients: Sequence[str] = (),
    database: str | None = None,
    iterations: int = _SCRAM_ITERATIONS,
) -> ServiceDsns:
    """Make a service's database and its roles, or bring existing ones to the wanted state.

    `<service>_owner` owns the schema and runs the migrations; `<service>_app` reads and writes rows of the tables that
    the owner makes (and temporary tables, for COPY), nothing else. Each of `clients` gets a login role
    `<service>_<client>_client` with the rights of `<service>_app`: that is how the broker's database is shared.
    Idempotent; a changed password is set anew. Databases of others are not touched. `iterations` of the passwords' hash
    may only be fewer for tests.

    Raises:
        ProvisionError: a name or password is unusable, the server is too old, or the administrator may not do it.
    """
    name = identifier(service)
    database = database or database_name(service)
    owner, app = f"{name}_owner", f"{name}_app"
    client_roles = {client: f"{name}_{identifier(client)}_client" for client in clients}
    for role in client_roles.values():
        identifier(role)
    known = {role: passwords.password(role) for role in (owner, app, *client_roles.values())}
    verifiers = {role: scram_verifier(password, iterations) for role, password in known.items()}

    def dsn(role: str) -> str:
        return with_login(admin_dsn, role=role, password=known[role], database=database)

    try:
        admin = await asyncpg.connect(admin_dsn, timeout=10)
        try:
            await admin.execute("SELECT pg_advisory_lock($1)", _PROVISION_LOCK)
            await _require_version(admin)
            await _ensure_role(admin, owner, verifiers[owner], OWNER_LIMITS)
            await _ensure_role(admin, app, verifiers[app], APP_LIMITS)
            for role in client_roles.values():
                await _ensure_role(admin, role, verifiers[role], APP_LIMITS)
                await admin.execute(f"GRANT {app} TO {role}")
            await _ensure_database(admin, database)
            await open_database(admin, database, owner=owner, app=app)
            await _hand_over_schema(admin_dsn, database, owner=owner)
            await _set_rights_in_schema(dsn(owner), app=app)
        finally:
            await admin.close()
    except asyncpg.InsufficientPrivilegeError as error:
        message = (
            f"The administrator's role may not set up the database {database} ({error}). "
            "It must be a superuser, or have CREATEDB and CREATEROLE."
        )
        raise ProvisionError(message) from error
    return ServiceDsns(
        owner_dsn=dsn(owner),
        app_dsn=dsn(app),
        client_dsns={client: dsn(role) for client, role in client_roles.items()},
    )


async def open_database(
    admin: "asyncpg.Connection[Any]", database: str, *, owner: str, app: str
) -> None:
    """Let a service's two roles, and nobody else, into a database (also into a copy made from a template)."""
    await admin.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await admin.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {app}")


async def _require_version(admin: "asyncpg.Connection[Any]") -> None:
    version = await admin.fetchval("SELECT current_setting('server_version_num')::int")
    if version < _OLDEST_SERVER:
        message = f"PostgreSQL 15 or newer is needed, the server is {version // 10000}."
        raise ProvisionError(message)


async def _ensure_role(
    admin: "asyncpg.Connection[Any]", role: str, verifier: str, limits: Mapping[str, str]
) -> None:
    exists = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    # SUPERUSER, REPLICATION and BYPASSRLS are off unless given, and only a superuser may name them.
    await admin.execute(
        f"{verb} ROLE {role} LOGIN NOCREATEDB NOCREATEROLE INHERIT PASSWORD '{verifier}'"
    )
    for setting, value in limits.items():
        await admin.execute(f"ALTER ROLE {role} SET {setting} = '{value}'")


async def _ensure_database(admin: "asyncpg.Connection[Any]", database: str) -> None:
    if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        return
    version = await admin.fetchval("SELECT current_setting('server_version_num')::int")
    if version >= _BUILTIN_LOCALES_SINCE:
        locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
    else:
        found = await admin.fetchval(
            "SELECT collcollate FROM pg_collation WHERE collprovider = 'c'"
            " AND lower(collcollate) IN ('c.utf-8', 'c.utf8') LIMIT 1"
        )
        locale = f"LC_COLLATE 'C' LC_CTYPE '{found or 'C'}'"
    # The same order by code point everywhere; people and places are sorted by a stored key.
    await admin.execute(f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8' {locale}")


async def _hand_over_schema(admin_dsn: str, database: str, *, owner: str) -> None:
    parts = urlsplit(admin_dsn)
    inside = await asyncpg.connect(urlunsplit(parts._replace(path=f"/{database}")), timeout=10)
    try:
        if not await inside.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            version = await inside.fetchval("SELECT current_setting('server_version_num')::int")
            options = " WITH INHERIT TRUE, SET TRUE" if version >= _GRANT_OPTIONS_SINCE else ""
            await inside.execute(f"GRANT {owner} TO CURRENT_USER{options}")
        await inside.execute(f"ALTER SCHEMA public OWNER TO {owner}")
    finally:
        await inside.close()


async def _set_rights_in_schema(owner_dsn: str, *, app: str) -> None:
    connection = await asyncpg.connect(owner_dsn, timeout=10)
    try:
        await connection.execute(
            f"""
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO {app};
            ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
            ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app};
            ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO {app};
            ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {app};
            """
        )
    finally:
        await connection.close()
