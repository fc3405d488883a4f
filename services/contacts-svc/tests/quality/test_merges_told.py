"""Merges: what the others are told, and what files have brought."""

import asyncio
from uuid import UUID

from contacts_svc.main import SPEC
from contacts_svc.quality import merging, moving
from contacts_svc.quality.jobs import tell_merges
from kantis_contracts.contacts import PersonMergedV1, PreferenceChangedV1
from kantis_kit.testing.merges import contents
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

FILE = "navn;e-post;mobil;sted\r\nKari Nes;kari@example.com;41234567;Bergen\r\n"


async def make(client, name, mail):
    answer = await client.post("/v1/contacts", json={"full_name": name, "email": mail})
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def merge(client, known, merged):
    answer = await client.post("/v1/merges", json={"known_id": known, "merged_id": merged})
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def undo(client, merge_id):
    answer = await client.post(f"/v1/merges/{merge_id}/undo")
    assert 200 == answer.status_code, answer.text


async def test_a_merge_and_its_undoing_are_told_with_a_version_that_grows(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari, nes, last = [await make(client, "Kari", f"k{n}@example.com") for n in range(3)]

        first = await merge(client, nes, kari)
        second = await merge(client, last, nes)
        await undo(client, second)
        await undo(client, first)
        third = await merge(client, kari, nes)
    await rig.drain()

    told = [
        (str(one.merge_id), str(one.merged_id), str(one.known_id), one.is_undone)
        for one in rig.items(PersonMergedV1)
    ]
    assert sorted(told) == sorted(
        [
            (first, kari, nes, False),
            (second, nes, last, False),
            (second, nes, last, True),
            (first, kari, nes, True),
            (third, nes, kari, False),
        ]
    )
    for person in (kari, nes):
        said = [one for one in rig.items(PersonMergedV1) if str(one.merged_id) == person]
        assert len(said) == len({one.version for one in said})
        assert [one.at for one in said] == sorted(one.at for one in said)


async def test_a_merge_of_a_release_that_did_not_tell_is_told_once(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged, other, gone = [
            await make(client, "Kari", f"k{n}@example.com") for n in range(4)
        ]
        quiet = await merge(client, known, merged)
        await undo(client, await merge(client, other, gone))
    await rig.drain()
    (told,) = (one for one in rig.items(PersonMergedV1) if str(one.merge_id) == quiet)
    before = len(rig.items(PersonMergedV1))
    pool = await rig.service.database.pool()
    await pool.execute("UPDATE merge SET told_at = NULL")

    for _ in range(2):
        async with write(rig.service.scope, actor="test") as tx:
            await tell_merges.function(tx)
    await rig.drain()

    # In the same words: who was told before drops it as known. What was undone is not told as done.
    assert [told] == rig.items(PersonMergedV1)[before:]


async def test_every_table_that_names_a_person_follows_or_says_why_it_does_not():
    names = {table.name for table in moving.tables()}

    assert names >= moving.OF_THE_ID
    assert {"person_field_source", "identifier", "order_fact"} <= names - moving.OF_THE_ID
    assert "import_touched" in moving.OF_THE_ID


async def test_what_files_brought_follows_and_comes_back_and_an_import_of_a_merged_one_is_kept(
    rig_for, take_file
):
    rig = await rig_for(SPEC)
    done = await take_file(rig, FILE, policies='{"city": "newest"}', as_of="2026-01-01T00:00:00Z")
    async with rig.client() as client:
        (kari,) = (await client.get("/v1/contacts")).json()["items"]
        known = await make(client, "Kari Berg", "kb@example.com")
        but = {
            "person",
            "person_change",
            "merge",
            "person_alias",
            "duplicate_pair",
            *moving.OF_THE_ID,
        }
        before = await contents(rig.service, but=but)

        merge_id = await merge(client, known, kari["id"])
        together = await contents(rig.service, but=but)
        await undo(client, merge_id)
        after = await contents(rig.service, but=but)
        await merge(client, known, kari["id"])
        answer = await client.post(f"/v1/imports/{done['id']}/undo")
        assert 202 == answer.status_code, answer.text
        await rig.drain()
        kept = (await client.get(f"/v1/imports/{done['id']}/kept")).json()["items"]

    assert before["person_field_source"]
    assert known in "".join(together["person_field_source"])
    assert before == after
    assert [f"merged into {known}"] == [one["kept_because"] for one in kept]


async def test_wishes_that_came_with_the_merged_one_are_told_for_the_known_and_taken_back(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = [await make(client, "Kari", f"k{n}@example.com") for n in range(2)]
        wishes = {"per_month": 2, "topics": {}}
        await client.put(f"/v1/contacts/{merged}/preferences", json=wishes)
        merge_id = await merge(client, known, merged)
        await undo(client, merge_id)
        own = await client.put(f"/v1/contacts/{known}/preferences", json={**wishes, "per_month": 4})
        assert own.status_code < 300, own.text
    await rig.drain()

    told = [one for one in rig.items(PreferenceChangedV1) if str(one.person_id) == known]
    by_version = sorted(told, key=lambda one: one.version)
    assert [2, None, 4] == [one.per_month for one in by_version]
    assert len(told) == len({one.version for one in told})


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


async def test_nobody_undoes_a_merge_while_late_rows_are_moved(rig_for, monkeypatch):
    rig = await rig_for(SPEC, start=False)
    pool = await rig.service.database.pool()
    carry = merging.carry
    async with rig.client() as client, asyncio.TaskGroup() as group:
        known, merged = [await make(client, "Kari", f"k{n}@example.com") for n in range(2)]
        merge_id = await merge(client, known, merged)

        async def carry_while_it_is_undone(*given, **options):
            undoing = group.create_task(undo(client, merge_id))

            async def is_decided():
                return undoing.done() or await pool.fetchval(WAITING)

            await eventually(is_decided, message="the undoing neither ended nor waits")
            return await carry(*given, **options)

        monkeypatch.setattr(merging, "carry", carry_while_it_is_undone)
        async with write(rig.service.scope, actor="test") as tx:
            await merging.follow(tx, [UUID(merged)])
    async with rig.client() as client:
        mails = [
            (await client.get(f"/v1/contacts/{one}")).json()["email"] for one in (known, merged)
        ]

    assert ["k0@example.com", "k1@example.com"] == mails
