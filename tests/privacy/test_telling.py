"""T39: whoever asks is told everything that any service holds of them, and nothing of anybody else."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from contacts_svc.selfservice.links import path_to
from kantis_kit.auth.links import LinkSigner
from kantis_kit.testing.waiting import eventually

SEEDED = {
    "campaign": {"piece"},
    "contacts": {"field_value", "identifier", "import_reject", "interaction", "lead", "permission_ledger"},
    "messaging": {"dispatch", "permission_card", "person_card"},
    "orders": {"invoice", "invoice_vat", "order_line", "person", "posting", "response", "sales_order"},
    "analytics": {"fact"},
}  # fmt: skip
NOT_ABOUT_THEM = {
    "contacts": {"touched_person", "duplicate_due", "duplicate_key", "segment_due", "dossier"},
}
"""Notes of a service to itself: ids and times."""
NAMING = """
SELECT c.table_name AS name
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name = 'person_id'
  AND NOT EXISTS (SELECT FROM pg_class p WHERE p.relname = c.table_name AND p.relispartition)
"""


async def held_of(house, guests):
    """Return per person and service how many rows of which table name them, by what the databases say."""
    held = {guest.person_id: {} for guest in guests}
    for name in house.rig.services:
        connection = await asyncpg.connect(house.rig.dsns[name])
        try:
            for (table,) in await connection.fetch(NAMING):
                for person_id, n in await connection.fetch(
                    f"SELECT person_id::text, count(*) FROM {table}"
                    " WHERE person_id = ANY(cast($1::text[] AS uuid[])) GROUP BY 1",
                    list(held),
                ):
                    held[person_id].setdefault(name, {})[table] = n
        finally:
            await connection.close()
    return held


async def told_of(house, count):
    people = house.guests(count, prefix="zorro", first=1_002_345)
    others = house.guests(1, prefix="bleib", first=5_002_345)
    await house.fill([*people, *others])
    started = house.rig.clock.now()
    told = []
    async with house.rig.client("contacts") as client:
        for guest in people:
            asked = await client.post("/v1/privacy/dossiers", json={"contact_id": guest.person_id})
            assert asked.status_code == 202, asked.text
            place = asked.headers["location"]

            async def is_there(place=place):
                return (await client.get(place)).json()["is_complete"]

            await eventually(is_there, message="not every service has answered")
            told.append((guest, (await client.get(place)), await client.get(f"{place}/page")))
    assert house.rig.clock.now() - started < timedelta(minutes=10)
    return people, others, told


async def check(house, count):
    people, others, told = await told_of(house, count)
    held = await held_of(house, people)

    for guest, answer, shown in told:
        found = answer.json()
        records = {one["service"]: one["records"] for one in found["services"]}
        records["contacts"] = found["contacts"]["records"]
        told = {
            name: {kind: len(rows) for kind, rows in kinds.items()}
            for name, kinds in records.items()
        }
        assert {name: set() for name in SEEDED} == {
            name: kinds - told[name].keys() for name, kinds in SEEDED.items()
        }
        for name, tables in held[guest.person_id].items():
            own = {
                kind: n for kind, n in tables.items() if kind not in NOT_ABOUT_THEM.get(name, ())
            }
            assert own.items() <= told.get(name, {}).items(), name
        for seeded in (
            guest.email, guest.phone, f"likes {guest.word}", f"{guest.word} gate 1",
            f"{guest.word} complained", f"{guest.word} wants it wrapped", f"T{guest.word}",
            f"550 {guest.email} unknown", f"{guest.word} Nordmann", f"lives at {guest.word}",
            f'"boat": "{guest.word}"'.replace(": ", ":"), f"not-an-address-{guest.email}x@",
        ):  # fmt: skip
            assert seeded in answer.text, seeded
            assert seeded.rpartition("@")[0] in shown.text
        for other in (*people, *others):
            if other is not guest:
                assert other.word not in answer.text + shown.text
                assert other.person_id not in answer.text + shown.text
        assert 200 == shown.status_code
    return people


async def test_who_asks_is_told_everything_and_nothing_of_others(house):
    (guest,) = await check(house, 1)

    # The same by the person's own link.
    signer = house.rig.services["contacts"].scope.extras[LinkSigner]
    async with house.rig.anonymous("contacts") as visitor:
        now = house.rig.clock.now()
        path = path_to(signer, "data", UUID(guest.person_id), now=now)
        begun = await visitor.post(f"{path}/everything")
        page = await visitor.get(f"{path}/everything")
        file = await visitor.get(f"{path}/everything/file")
        forged = await visitor.get(f"{path}x/everything")
    assert (303, 200, 200, 404) == (
        begun.status_code,
        page.status_code,
        file.status_code,
        forged.status_code,
    )
    assert guest.email in page.text
    assert file.json()["is_complete"]
    assert "attachment" in file.headers["content-disposition"]


@pytest.mark.slow
async def test_two_hundred_are_told_everything_and_nothing_of_others(house):
    await check(house, 200)
