"""One phone at several companies is called once, in the role that matters most; the calls that are spared are counted."""

from datetime import timedelta
from uuid import UUID

from contacts_svc.main import SPEC
from kantis_kit.ids import new_id


async def make(client, path, body):
    answer = await client.post(path, json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def furnish(client):
    """Mette buys for three companies; Jens shares her phone; Ida is alone at hers, and silent until a day."""
    firms = [
        await make(client, "/v1/organisations", {"name": name, "country": "DK"})
        for name in ("Møller", "Havn", "Skov")
    ]
    people = {}
    for name, phone, is_shared in (
        ("Mette", "32123456", False),
        ("Jens", "32123456", True),
        ("Ida", "32123457", False),
    ):
        body = {
            "full_name": name,
            "email": f"{name}@example.com",
            "phone": phone,
            "country": "DK",
            "phone_is_shared": is_shared,
        }
        people[name] = await make(client, "/v1/contacts", body)
    for name, firm, more in (
        ("Mette", 0, {"relevance": 90}),
        ("Mette", 1, {"relevance": 95, "not_before": "2999-01-01"}),
        ("Mette", 2, {"do_not_contact": True}),
        ("Jens", 1, {"relevance": 60, "role": "seller"}),
        ("Ida", 0, {"not_before": "2999-01-01"}),
    ):
        body = {"organisation_id": firms[firm], "role": "buyer", **more}
        await make(client, f"/v1/contacts/{people[name]}/links", body)
    return people


def told(item):
    called = item["called"] and (item["called"]["person_name"], item["called"]["organisation_name"])
    spared = {
        (one["person_name"], one["organisation_name"]): one["because"] for one in item["spared"]
    }
    return item["phone"], called, spared


async def test_a_phone_is_called_in_one_role_and_each_spared_call_has_its_reason(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        await furnish(client)
        today = (await client.get("/v1/organisations/spared")).json()
        buyers = (await client.get("/v1/organisations/spared", params={"role": "buyer"})).json()
        later = (await client.get("/v1/organisations/spared", params={"on": "2999-01-01"})).json()

    assert (3, 1) == (today["silent"], today["outranked"])
    assert [
        (
            "+4532123456",
            ("Mette", "Møller"),
            {
                ("Mette", "Havn"): "no contact is wanted in this role before 2999-01-01",
                ("Mette", "Skov"): "no contact is wanted in this role",
                ("Jens", "Havn"): "somebody more relevant is called on this number",
            },
        ),
        (
            "+4532123457",
            None,
            {("Ida", "Møller"): "no contact is wanted in this role before 2999-01-01"},
        ),
    ] == [told(item) for item in today["items"]]
    assert (3, 0) == (buyers["silent"], buyers["outranked"])
    # On the day the role that had to wait is the most relevant one, and nobody spares Ida.
    assert (1, 2) == (later["silent"], later["outranked"])
    assert [("+4532123456", ("Mette", "Havn"))] == [told(item)[:2] for item in later["items"]]


async def freeze(rig, launch, people):
    pool = await rig.service.database.pool()
    await pool.execute(
        "INSERT INTO frozen_audience (launch_id, campaign_id, segment_id, segment_name, condition, channel,"
        " purpose, total, frozen_at) VALUES ($1, $1, $1, 'Buyers', '{}', 'phone', 'offers', 2, $2)",
        launch,
        rig.clock.now(),
    )
    page = (
        "INSERT INTO frozen_page VALUES ($1, 0, $2, array_fill(1, ARRAY[cardinality($2::uuid[])]))"
    )
    await pool.execute(page, launch, sorted(map(UUID, people)))


async def test_of_a_campaign_only_its_audience_counts(rig_for):
    rig = await rig_for(SPEC)
    launch, path = new_id(), "/v1/organisations/spared"

    async with rig.client() as client:
        await furnish(client)
        found = (await client.get("/v1/contacts", params={"email": "jens@example.com"})).json()
        (jens,) = [one["id"] for one in found["items"]]
        people = (await client.get("/v1/contacts")).json()["items"]
        (ida,) = [one["id"] for one in people if one["full_name"] == "Ida"]
        await freeze(rig, launch, [jens, ida])
    rig.clock.advance(timedelta(days=3))
    async with rig.client() as client:
        mine = (await client.get(path, params={"launch_id": str(launch)})).json()
        none = await client.get(path, params={"launch_id": str(new_id()), "on": "2026-01-01"})

    # Mette is more relevant at the phone of Jens, but this campaign does not call her.
    assert (1, 0) == (mine["silent"], mine["outranked"])
    assert [("+4532123457", None)] == [told(item)[:2] for item in mine["items"]]
    assert mine["on"] == (rig.clock.now() - timedelta(days=3)).date().isoformat()
    assert (404, "audience-unknown") == (none.status_code, none.json()["type"].rsplit(":", 1)[1])


async def test_who_was_merged_after_the_freeze_counts_as_who_they_are_now(rig_for):
    rig = await rig_for(SPEC)
    launch = new_id()
    async with rig.client() as client:
        people = await furnish(client)
        old = [
            await make(client, "/v1/contacts", {"full_name": "Ida", "email": f"{n}@example.com"})
            for n in range(2)
        ]
        await freeze(rig, launch, [people["Mette"], old[0]])
        merges = [(old[1], old[0]), (people["Ida"], old[1])]
        for known, merged in merges:
            await make(client, "/v1/merges", {"known_id": known, "merged_id": merged})
        path = f"/v1/organisations/spared?launch_id={launch}"
        found = (await client.get(path)).json()

    assert (3, 0) == (found["silent"], found["outranked"])
    assert [("+4532123456", ("Mette", "Møller")), ("+4532123457", None)] == [
        told(item)[:2] for item in found["items"]
    ]


async def test_pages_hold_every_phone_once_and_forged_cursors_are_refused(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        await furnish(client)
        first = (await client.get("/v1/organisations/spared", params={"limit": 1})).json()
        second = (
            await client.get(
                "/v1/organisations/spared", params={"limit": 1, "cursor": first["next_cursor"]}
            )
        ).json()
        forged = await client.get("/v1/organisations/spared", params={"cursor": "abc"})

    assert ["+4532123456", "+4532123457"] == [
        item["phone"] for page in (first, second) for item in page["items"]
    ]
    assert None is second["next_cursor"]
    assert 422 == forged.status_code
