"""A service's role reaches its own rows and nothing else; the same on the embedded PostgreSQL and on a server."""

import asyncio
import json
import stat
from collections.abc import Coroutine, Iterator
from typing import Any

import asyncpg
import pytest

from kantis_kit.db.provision import (
    ProvisionError,
    SecretFiles,
    Secrets,
    ServiceDsns,
    database_name,
    identifier,
    provision,
    scram_verifier,
    with_login,
)
from kantis_kit.ids import new_id

REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)


class Passwords:
    def __init__(self, suffix: str = "") -> None:
        self.suffix = suffix

    def password(self, role: str) -> str:
        return f"of-{role}{self.suffix}"


@pytest.fixture(scope="session")
def names() -> dict[str, str]:
    """Names of our own: other workers may use the same server at the same time."""
    own = new_id().hex[-8:]
    return {"a": f"prov-a-{own}", "b": f"prov-b-{own}", "broker": f"prov-q-{own}"}


@pytest.fixture(scope="session")
def services(postgres_server, names) -> Iterator[dict[str, ServiceDsns]]:
    """Two services with a table each, and the broker's database that both share."""
    yield blocking(_provision_all(postgres_server.admin_dsn(), names))
    roles = [f"{identifier(name)}_{kind}" for name in names.values() for kind in ("owner", "app")]
    roles += [client_role(names, name) for name in ("a", "b")]
    for name in names.values():
        blocking(postgres_server.drop(database_name(name)))
    blocking(postgres_server.execute(*[f"DROP ROLE {role}" for role in roles]))


async def _provision_all(admin: str, names: dict[str, str]) -> dict[str, ServiceDsns]:
    made: dict[str, ServiceDsns] = {}
    for key, name in names.items():
        clients = (names["a"], names["b"]) if key == "broker" else ()
        made[key] = await provision(admin, name, passwords=Passwords(), clients=clients)
        await run(made[key].owner_dsn, "CREATE TABLE things (id bigserial PRIMARY KEY, name text)")
    return made


def client_role(names: dict[str, str], name: str) -> str:
    return f"{identifier(names['broker'])}_{identifier(names[name])}_client"


def blocking(work: Coroutine[Any, Any, Any]) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def run(dsn: str, *statements: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        value = None
        for statement in statements:
            value = await connection.fetchval(statement)
        return value
    finally:
        await connection.close()


async def test_the_run_time_role_works_with_the_rows_of_tables_that_the_owner_makes(services):
    app = services["a"].app_dsn

    await run(
        app,
        "INSERT INTO things (name) VALUES ('x')",
        "UPDATE things SET name = 'y'",
        "CREATE TEMPORARY TABLE staging (LIKE things)",
    )

    assert await run(app, "SELECT name FROM things") == "y"
    assert await run(app, "DELETE FROM things RETURNING id") == 1


@pytest.mark.parametrize("role", ["app", "owner", "client"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_read_binary_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY things FROM PROGRAM 'true'",
        "COPY things TO '/things'",
        "SELECT lo_import('/etc/hostname')",
        "SELECT rolpassword FROM pg_authid",
        "CREATE ROLE another",
        "ALTER ROLE {b}_app PASSWORD 'taken'",
        "ALTER SYSTEM SET fsync = off",
        "CREATE DATABASE another",
        "ALTER DATABASE kantis_{b} CONNECTION LIMIT 0",
        "DROP DATABASE kantis_{b}",
        "DROP EXTENSION plpgsql",
        "SET ROLE {b}_owner",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT {b}_owner TO {a}_app",
        "CREATE SCHEMA another",
        "LOAD 'auto_explain'",
        "SELECT pg_reload_conf()",
        "SELECT pg_switch_wal()",
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=postgres' PUBLICATION p",
    ],
)
async def test_what_belongs_to_the_administrator_is_refused(services, names, role, statement):
    with pytest.raises((asyncpg.PostgresError,)) as refusal:
        await run(_dsn(services, role), filled(statement, names, role))

    assert isinstance(refusal.value, REFUSED) or refusal.value.sqlstate in {"42501", "22023"}


@pytest.mark.parametrize("role", ["app", "client"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE more (id int)",
        "CREATE VIEW more AS SELECT 1",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SEQUENCE more",
        "CREATE TYPE more AS ENUM ('a')",
        "CREATE INDEX ON things (name)",
        "ALTER TABLE things ADD COLUMN more int",
        "ALTER TABLE things DISABLE TRIGGER ALL",
        "ALTER TABLE things OWNER TO {a}_app",
        "DROP TABLE things",
        "TRUNCATE things",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO PUBLIC",
        "SET ROLE {owner}",
    ],
)
async def test_the_run_time_role_cannot_change_the_schema(services, names, role, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(_dsn(services, role), filled(statement, names, role))


def filled(statement: str, names: dict[str, str], role: str) -> str:
    a, b = identifier(names["a"]), identifier(names["b"])
    owner = identifier(names["broker"] if role == "client" else names["a"])
    return statement.format(a=a, b=b, owner=f"{owner}_owner")


def _dsn(services: dict[str, ServiceDsns], role: str) -> str:
    return {
        "app": services["a"].app_dsn,
        "owner": services["a"].owner_dsn,
        "client": next(iter(services["broker"].client_dsns.values())),
    }[role]


@pytest.mark.parametrize("role", ["app", "owner", "client"])
async def test_other_databases_are_closed(services, names, role):
    own = names["broker"] if role == "client" else names["a"]
    login = {
        "app": f"{identifier(own)}_app",
        "owner": f"{identifier(own)}_owner",
        "client": client_role(names, "a"),
    }[role]
    for name in set(names.values()) - {own}:
        dsn = with_login(
            _dsn(services, role), role=login, password=f"of-{login}", database=database_name(name)
        )
        with pytest.raises(
            asyncpg.InsufficientPrivilegeError, match="permission denied for database"
        ):
            await run(dsn, "SELECT 1")


@pytest.mark.parametrize("database", ["postgres", "template1"])
async def test_the_administrators_databases_of_the_embedded_server_are_closed(
    shared_embedded, database
):
    dsns = await provision(
        shared_embedded.superuser_dsn(), "prov-c", passwords=shared_embedded.secrets
    )
    password = shared_embedded.secrets.password("prov_c_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(
            with_login(dsns.app_dsn, role="prov_c_app", password=password, database=database),
            "SELECT 1",
        )


async def test_clients_of_the_broker_share_its_rows(services):
    first, second = services["broker"].client_dsns.values()

    await run(first, "INSERT INTO things (name) VALUES ('message')")

    assert await run(second, "SELECT name FROM things") == "message"


@pytest.mark.parametrize(
    ("role", "setting", "value"),
    [
        ("app", "statement_timeout", "30s"),
        ("app", "lock_timeout", "2s"),
        ("app", "idle_in_transaction_session_timeout", "1min"),
        ("client", "statement_timeout", "30s"),
        ("client", "lock_timeout", "2s"),
        ("owner", "lock_timeout", "4s"),
        ("owner", "idle_in_transaction_session_timeout", "1min"),
    ],
)
async def test_every_role_has_its_limits(services, role, setting, value):
    assert value == await run(_dsn(services, role), f"SHOW {setting}")


async def test_doing_it_again_keeps_the_rows_and_takes_a_new_password(
    postgres_server, services, names
):
    admin = postgres_server.admin_dsn()
    await run(services["a"].app_dsn, "INSERT INTO things (name) VALUES ('kept')")

    again = await provision(admin, names["a"], passwords=Passwords("-new"))
    try:
        assert await run(again.app_dsn, "SELECT count(*) FROM things WHERE name = 'kept'") == 1
        with pytest.raises(asyncpg.InvalidPasswordError):
            await run(services["a"].app_dsn, "SELECT 1")
    finally:
        await provision(admin, names["a"], passwords=Passwords())


async def test_an_administrator_who_is_no_superuser_is_enough(postgres_server):
    own = new_id().hex[-8:]
    role, service = f"prov_admin_{own}", f"prov-d-{own}"
    await postgres_server.execute(
        f"CREATE ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD 'admin'",
        f"GRANT CONNECT ON DATABASE postgres TO {role}",
    )
    admin = with_login(
        postgres_server.admin_dsn(), role=role, password="admin", database="postgres"
    )
    try:
        for _ in range(2):
            dsns = await provision(admin, service, passwords=Passwords())
        await run(dsns.owner_dsn, "CREATE TABLE things (id int)")

        assert await run(dsns.app_dsn, "SELECT count(*) FROM things") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(dsns.app_dsn, "DROP TABLE things")
    finally:
        await postgres_server.drop(database_name(service))
        await postgres_server.execute(
            f"DROP ROLE {identifier(service)}_owner",
            f"DROP ROLE {identifier(service)}_app",
            f"REVOKE ALL ON DATABASE postgres FROM {role}",
            f"DROP ROLE {role}",
        )


async def test_an_administrator_without_the_rights_is_told_which_ones_are_missing(services):
    with pytest.raises(ProvisionError, match="superuser, or have CREATEDB and CREATEROLE"):
        await provision(services["a"].owner_dsn, "prov-e", passwords=Passwords())


async def test_no_password_stands_in_a_statement(postgres_server, services, names):
    admin = await asyncpg.connect(postgres_server.admin_dsn())
    stored = await admin.fetchval(
        "SELECT rolpassword FROM pg_authid WHERE rolname = $1", f"{identifier(names['a'])}_app"
    )
    await admin.close()

    assert str(stored).startswith("SCRAM-SHA-256$4096:")
    assert "of-prov" not in repr(services["a"])


@pytest.mark.parametrize("name", ["", "Orders", "1st", "a b", 'a"b', "a;b", "æ", "x" * 60])
async def test_a_name_that_cannot_name_a_database_is_refused(name):
    with pytest.raises(ProvisionError, match="cannot name a database"):
        await provision("postgresql://nowhere/postgres", name, passwords=Passwords())


@pytest.mark.parametrize("password", ["", "two words", "blåbær", "line\nbreak"])
def test_a_password_that_would_be_read_differently_is_refused(password):
    with pytest.raises(ProvisionError, match="printable ASCII"):
        scram_verifier(password)


def test_generated_passwords_are_long_kept_and_private(tmp_path):
    path = tmp_path / "secrets.json"

    first = Secrets(path).password("a_app")

    assert len(first) >= 43
    assert first == Secrets(path).password("a_app")
    assert first != Secrets(path).password("b_app")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {"a_app", "b_app"} == set(json.loads(path.read_text()))


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}'])
def test_a_damaged_file_of_passwords_is_not_overwritten(tmp_path, content):
    path = tmp_path / "secrets.json"
    path.touch(mode=0o600)
    path.write_text(content)

    with pytest.raises(ProvisionError):
        Secrets(path).password("a_app")

    assert content == path.read_text()


def test_passwords_from_mounted_files(tmp_path):
    (tmp_path / "a_app").write_text("from-a-file\n")
    (tmp_path / "empty_app").write_text("\n")
    files = SecretFiles(tmp_path)

    assert files.password("a_app") == "from-a-file"
    with pytest.raises(ProvisionError, match="is empty"):
        files.password("empty_app")
    with pytest.raises(ProvisionError, match=r"missing_app.*Put it there"):
        files.password("missing_app")


def test_an_address_keeps_its_place_and_options():
    dsn = "postgresql://admin:secret@db.example:5433/postgres?sslmode=require"

    assert with_login(dsn, role="a_app", password="p/w@1", database="kantis_a") == (
        "postgresql://a_app:p%2Fw%401@db.example:5433/kantis_a?sslmode=require"
    )
