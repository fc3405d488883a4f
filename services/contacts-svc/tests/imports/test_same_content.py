"""New people are written by COPY, all others one by one: the register cannot tell which way a file came in."""

import random
import re
from contextlib import suppress

import orjson
import pytest
from sqlalchemy import text

from contacts_svc.imports import usecases
from contacts_svc.main import SPEC
from contacts_svc.people import queries as people
from contacts_svc.people.rules import address_hash
from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1
from kantis_kit.tx import read, write

HEAD = "fornavn;etternavn;e-post;mobil;adresse;postnr;sted;land;språk;merknad;colour;spent;id_no;as_of;permission.email.newsletter;permission.sms.offers\r\n"
TABLES = {
    "person": (),
    "identifier": ("id",),
    "person_change": ("id",),
    "import_touched": ("families",),
    "field_value": (),
    "field_secret": (),
    "list_member": (),
    "permission_state": ("ledger_id",),
    "permission_ledger": ("id", "seq"),
    "person_field_source": (),
    "import_reject": (),
    "import": (),
}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class TakeBack(Exception):
    pass


async def content(tx):
    """Return what stands in the tables, with people named by their addresses."""
    await tx.flush()
    await tx.seal()
    addresses = await tx.execute(
        text(
            "SELECT person_id::text, string_agg(kind || value, ' ' ORDER BY kind, value) FROM identifier GROUP BY 1"
        )
    )
    named = dict(tuple(row) for row in addresses)
    assert len(named) == len(set(named.values()))

    def plain(row):
        return _ID.sub(lambda found: named.get(found[0], "an id"), row)

    found = {}
    for table, left in TABLES.items():
        rows = await tx.scalars(text(f"SELECT row_to_json(one)::text FROM {table} AS one"))
        kept = [{k: v for k, v in orjson.loads(row).items() if k not in left} for row in rows]
        found[table] = sorted(plain(orjson.dumps(row).decode()) for row in kept)
    touched = await tx.execute(
        text("SELECT person_id::text, bit_or(families) FROM touched_person GROUP BY 1")
    )
    found["touched"] = sorted((named[one], families) for one, families in touched.all())
    for kind in (PersonChangedV1, PermissionChangedV1):
        told = await tx.scalars(
            text("SELECT data FROM outbox WHERE type = :type"), {"type": kind.type}
        )
        found[kind.type] = sorted(
            plain(item.model_dump_json(exclude={"ledger_id"}))
            for data in told
            for item in kind.model_validate_json(data).items
        )
    return found


async def take(rig, import_id, *, carefully):
    """Take an import, look at what it made, and take all of it back."""
    found, rows = {}, 0
    async with read(rig.service.scope) as tx:
        ((_, actor, _),) = await usecases.list_open(tx)
    with suppress(TakeBack):
        async with write(rig.service.scope, actor=f"import:{actor}") as tx:
            chunk = None
            while chunk is None or not chunk.is_last:
                chunk = await usecases.take_chunk(tx, import_id, carefully=carefully)
                rows += len(chunk.rows)
            await tx.flush()
            while await usecases.follow(tx, import_id):
                await tx.flush()
            found = await content(tx)
            raise TakeBack
    return found, rows


BAD = {
    0: "'=1",
    2: "feil@",
    5: "0155 er for langt",
    6: "=Oslo",
    8: "klingon",
    10: "green",
    11: "mye",
}


def table(rng):
    def one(*cells):
        return rng.choice(cells)

    rows = []
    for number in range(70):
        name = rng.randint(0, 50)
        email = (f"p{name}@example.com", f"P{name}@Example.com", f"{number}@example.com", "")
        row = [
            one("Kari", "Ola", "Å\\se", 'Per "P"'),
            one("Nes", "Ødegård", "", f"Lie{number}"),
            one(*email, "gone@example.com") if number % 9 == 0 else one(*email),
            one(f"4{1_000_000 + name:07d}", f"+4741{number:06d}", "", "", "40404040", "41414141"),
            one("Gata 1", "Gata\t2", ""),
            one("0155", ""),
            one("Oslo", "", "Moss"),
            one("NO", "", "norge"),
            one("nb", "sv", ""),
            one("", "ringt\nto ganger", "\\N"),
            one("blue", "rød", ""),
            one("12,5", "", "1 000"),
            one("01019012480", "", ""),
            one("01.02.2026", "", "01.03.2020"),
            one("ja", "", "nei"),
            one("x", ""),
        ]
        if number % 5 == 0:
            place, bad = one(*BAD.items())
            row[place] = bad
        rows.append(row)
    quoted = (";".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows)
    return HEAD + "".join(f"{row}\r\n" for row in quoted)


async def known_people(client):
    """Make fields, a list, and people who are there before the file."""
    colours = [{"key": "blue", "titles": {"nb": "blå"}}, {"key": "red", "titles": {"nb": "rød"}}]
    for field in (
        {"key": "colour", "kind": "choice", "is_filtered": True, "rules": {"choices": colours}},
        {"key": "spent", "kind": "decimal", "is_filtered": True},
        {"key": "id_no", "kind": "national_id", "rules": {"country": "NO"}},
    ):
        answer = await client.post("/v1/fields", json=field)
        assert 201 == answer.status_code, answer.text
    for person in (
        {"full_name": "Kari Nes", "email": "p1@example.com", "phone": "40404040"},
        {
            "full_name": "Liv Nes",
            "email": "p2@example.com",
            "phone": "40404040",
            "phone_is_shared": True,
        },
        {"full_name": "Ola", "phone": "41000003", "custom": {"colour": "red"}},
    ):
        answer = await client.post("/v1/contacts", json=person)
        assert 201 == answer.status_code, answer.text
    return (await client.post("/v1/segments", json={"name": "Fair", "kind": "list"})).json()["id"]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_file_leaves_the_same_by_copy_as_row_by_row(rig_for, door, seed):
    rig = await rig_for(SPEC, settings={"contacts": {"import_chunk_rows": 25}}, start=False)
    async with rig.client() as client:
        fair = await known_people(client)
    async with write(rig.service.scope) as tx:
        gone = address_hash(people.suppression_key(tx), ("email", "gone@example.com"))
        await tx.execute(
            text("INSERT INTO suppressed_address VALUES (:hash, 'email', now())"), {"hash": gone}
        )
    started = await door.send(
        rig,
        table(random.Random(seed)),
        permission_source="Fair",
        list_id=fair,
        policies='{"city": "newest", "note": "keep"}',
        **({"on_existing": "keep"} if seed == 3 else {}),
    )

    slow, rows = await take(rig, started["id"], carefully=True)
    fast, rows_again = await take(rig, started["id"], carefully=False)

    assert 35 < rows == rows_again
    assert 10 < len(fast["import_reject"])
    for name, expected in slow.items():
        assert expected == fast[name], name
