"""An identifier without its person cannot be committed, whichever comes first; nor can a person go before it."""

import asyncpg
import pytest

from contacts_svc.imports.fresh import PERSONS_FIRST
from contacts_svc.main import SPEC
from kantis_kit.ids import new_id

_PERSON = """
INSERT INTO person (id, version, full_name, language, country, time_zone, lifecycle, created_at, updated_at,
    preferred_name, given_name, family_name, source, note, street, postal_code, city, address_country, is_erased)
VALUES ($1, 1, 'Kari', 'nb', 'NO', 'UTC', 'prospect', now(), now(), '', '', '', '', '', '', '', '', '', false)
"""
_IDENTIFIERS = """
INSERT INTO identifier (id, person_id, kind, value, as_given, is_primary, validity, reachability, created_at)
SELECT gen_random_uuid(), one, 'email', one || '@example.com', '', true, 'valid', 'unknown', now()
FROM unnest($1::uuid[]) AS one
"""
_LEFT = "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM identifier)"


@pytest.fixture
async def connection(rig_for):
    rig = await rig_for(SPEC, start=False)
    pool = await rig.service.database.pool()
    async with pool.acquire() as one:
        yield one


async def test_an_identifier_has_its_person(connection):
    kari, ola = new_id(), new_id()

    async def write(*statements, first="off"):
        async with connection.transaction():
            await connection.fetch(PERSONS_FIRST, first)
            for statement, given in statements:
                await connection.execute(statement, given)

    # Persons first, and one of the identifiers names nobody.
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="not there"):
        await write((_PERSON, kari), (_IDENTIFIERS, [kari, ola]), first="on")
    # Identifiers first, and the person does not come.
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="not there"):
        await write((_IDENTIFIERS, [kari]))
    assert (0, 0) == tuple(await connection.fetchrow(_LEFT))

    await write((_IDENTIFIERS, [kari]), (_PERSON, kari))
    await write((_PERSON, ola), (_IDENTIFIERS, [ola]), first="on")
    assert (2, 2) == tuple(await connection.fetchrow(_LEFT))

    # No identifier is moved to nobody, and no person goes before their identifiers.
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="not there"):
        await write(
            ("UPDATE identifier SET person_id = gen_random_uuid() WHERE person_id = $1", kari)
        )
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="still has"):
        await write(("DELETE FROM person WHERE id = $1", kari))
    assert (2, 2) == tuple(await connection.fetchrow(_LEFT))

    await write(
        ("DELETE FROM person WHERE id = $1", kari),
        ("DELETE FROM identifier WHERE person_id = $1", kari),
    )
    assert (1, 1) == tuple(await connection.fetchrow(_LEFT))
