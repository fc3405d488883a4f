"""A whole import is taken back: what nobody has changed or used since; the rest is listed with its reason."""

from contacts_svc.imports.usecases.named import DERIVED, KEEPING
from contacts_svc.imports.worker import Worker
from contacts_svc.main import SPEC
from kantis_contracts.contacts import PersonChangedV1

TABLE = (
    "navn;e-post;mobil;sted;permission.email.newsletter\r\n"
    "Kari Nes;kari@example.com;41234567;Bergen;ja\r\n"
    "Nils Dal;nils@example.com;;Molde;ja\r\n"
    "Ib Vik;ib@example.com;;Bodø;\r\n"
    "Bo Ås;bo@example.com;;Halden;\r\n"
)


async def undo(rig, import_id, status=202):
    async with rig.client() as client:
        answer = await client.post(f"/v1/imports/{import_id}/undo")
        assert status == answer.status_code, answer.text
    await rig.drain()
    async with rig.client() as client:
        kept = await client.get(f"/v1/imports/{import_id}/kept")
        return (await client.get(f"/v1/imports/{import_id}")).json(), kept.json()["items"]


async def test_what_an_import_made_and_changed_is_taken_back_and_the_rest_listed(rig_for, door):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await client.post(
            "/v1/fields", json={"key": "spent", "kind": "decimal", "is_filtered": True}
        )
        for name, mail, city in (("Kari", "kari", "Oslo"), ("Bo", "bo", "Moss")):
            answer = await client.post(
                "/v1/contacts",
                json={
                    "full_name": name,
                    "email": f"{mail}@example.com",
                    "address": {"city": city},
                    "custom": {"spent": "5"},
                },
            )
            assert 201 == answer.status_code, answer.text
        answer = await client.post("/v1/segments", json={"name": "Fair", "kind": "list"})
        fair = answer.json()["id"]
    text = TABLE.replace("mobil;", "mobil;spent;").replace(";;", ";;7;").replace("567;", "567;7;")
    done = await door.take(rig, text, permission_source="Fair, paper form", list_id=fair)
    assert (2, 2, 2, 4) == tuple(done[n] for n in ("created", "updated", "permissions", "listed"))
    people = await door.contacts(rig)
    async with rig.client() as client:
        for mail, change in (
            ("bo", {"full_name": "Bo Ås-Lie"}),
            ("ib", {"note": "called, wants to stay"}),
        ):
            one = people[f"{mail}@example.com"]
            answer = await client.patch(
                f"/v1/contacts/{one['id']}",
                json=change,
                headers={"If-Match": f'"{one["version"]}"'},
            )
            assert 200 == answer.status_code, answer.text

    undone, kept = await undo(rig, done["id"])
    again, _ = await undo(rig, done["id"])

    assert ("undone", 2, 2) == (undone["state"], undone["undone"], undone["kept"])
    assert undone == again
    reasons = {one["person_id"]: one["kept_because"] for one in kept}
    bo, ib = people["bo@example.com"]["id"], people["ib@example.com"]["id"]
    assert {bo, ib} == reasons.keys()
    assert "full_name" in reasons[bo]
    assert "changed since by test-key" in reasons[ib]
    after = await door.contacts(rig)
    assert {"kari@example.com", "bo@example.com", "ib@example.com"} == after.keys()
    kari = after["kari@example.com"]
    assert ("Kari", "Oslo", None, {"spent": "5"}) == (
        kari["full_name"],
        kari["address"]["city"],
        kari["phone"],
        kari["custom"],
    )
    assert ("Bo Ås-Lie", "Moss") == (
        after["bo@example.com"]["full_name"],
        after["bo@example.com"]["address"]["city"],
    )
    pool = await rig.service.database.pool()
    listed = await pool.fetch("SELECT person_id FROM list_member")
    assert {ib} == {str(row["person_id"]) for row in listed}
    states = await pool.fetch("SELECT state FROM permission_state")
    assert ["withdrawn", "withdrawn"] == [row["state"] for row in states]
    assert any(card.is_erased for card in rig.items(PersonChangedV1))
    spent = await pool.fetch("SELECT number_value FROM field_value WHERE key = 'spent'")
    assert [5, 5, 7] == sorted(row["number_value"] for row in spent)


async def test_who_was_made_by_an_import_and_is_used_since_stays(rig_for, door):
    rig = await rig_for(SPEC)
    done = await door.take(rig, TABLE.replace(";permission.email.newsletter", ";note"))
    people = await door.contacts(rig)
    nils = people["nils@example.com"]["id"]
    async with rig.client() as client:
        answer = await client.post(
            "/v1/interactions",
            json={
                "items": [
                    {
                        "contact_id": nils,
                        "kind": "call",
                        "direction": "in",
                        "occurred_at": rig.clock.now().isoformat(),
                    }
                ]
            },
        )
        assert answer.status_code < 300, answer.text

    undone, kept = await undo(rig, done["id"])

    assert (3, 1) == (undone["undone"], undone["kept"])
    assert [(nils, "named in: interaction")] == [
        (one["person_id"], one["kept_because"]) for one in kept
    ]


async def test_an_import_that_runs_is_stopped_and_what_it_took_is_taken_back(rig_for, door):
    rig = await rig_for(SPEC, settings={"contacts": {"import_chunk_rows": 10}}, start=False)
    text = door.head + "".join(f"Kari{n};Å;kari{n}@example.com;;;\r\n" for n in range(45))
    started = await door.send(rig, text)
    await Worker(rig.service).step()
    async with rig.client() as client:
        running = (await client.get(f"/v1/imports/{started['id']}")).json()
        stopped = (await client.post(f"/v1/imports/{started['id']}/undo")).json()
        while await rig.service.timers.step():
            pass
        undone = (await client.get(f"/v1/imports/{started['id']}")).json()

    assert ("running", "undoing", "undone") == (running["state"], stopped["state"], undone["state"])
    assert undone["created"] == undone["undone"] <= 20
    pool = await rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM identifier")
    assert 0 == await pool.fetchval("SELECT count(*) FROM suppressed_address")


async def test_a_file_that_was_undone_can_be_sent_again_and_a_stranger_cannot_undo(rig_for, door):
    rig = await rig_for(SPEC)
    done = await door.take(rig, TABLE, permission_source="Fair")
    await undo(rig, done["id"])

    again = await door.take(rig, TABLE, permission_source="Fair")
    async with rig.client(scopes=["contacts:read"]) as client:
        refused = await client.post(f"/v1/imports/{again['id']}/undo")

    assert again["id"] != done["id"]
    assert 4 == again["created"]
    assert 403 == refused.status_code


def test_of_every_table_with_people_it_is_decided_whether_it_keeps_them():
    tables = SPEC.metadata.tables.items()
    assert KEEPING | DERIVED == {name for name, table in tables if "person_id" in table.c}
    assert not KEEPING & DERIVED
