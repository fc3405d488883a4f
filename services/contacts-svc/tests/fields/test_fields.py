"""Fields that the company declares."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from contacts_svc.base import plain, table_of
from contacts_svc.fields.model import CustomField, FieldValue
from contacts_svc.fields.rules import FieldKind, ValueRefused, columns_of, read_value
from contacts_svc.main import SPEC
from contacts_svc.touched import Family, TouchedPerson
from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.tx import read

KARI = {"full_name": "Kari Ødegård", "email": "kari@example.com"}
BOATS = {
    "key": "boats",
    "kind": "number",
    "titles": {"nb": "Båter", "en": "Boats"},
    "rules": {"min": 0, "max": 20},
    "is_filtered": True,
}
INTERESTS = {
    "key": "interests",
    "kind": "choices",
    "rules": {"choices": [{"key": "sea"}, {"key": "snow"}, {"key": "wood"}]},
    "is_filtered": True,
}
FNR = {"key": "fnr", "kind": "national_id", "rules": {"country": "NO"}}


async def rows_of(rig):
    async with read(rig.service.scope) as tx:
        found = await tx.execute(
            select(
                *(
                    table_of(FieldValue).c[name]
                    for name in ("key", "text_value", "number_value", "date_value")
                )
            ).order_by(table_of(FieldValue).c.key, table_of(FieldValue).c.position)
        )
        return plain(found)


async def test_a_declared_field_is_validated_kept_shown_and_indexed(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        declared = [await client.post("/v1/fields", json=one) for one in (BOATS, INTERESTS)]
        made = await client.post(
            "/v1/contacts", json={**KARI, "custom": {"boats": "2", "interests": ["wood", "sea"]}}
        )
        changed = await client.patch(
            made.headers["location"],
            json={"custom": {"boats": None, "interests": ["snow"]}, "reason": "said so by phone"},
            headers={"If-Match": made.headers["etag"]},
        )
        history = (await client.get(f"{made.headers['location']}/changes")).json()
        schema = (await client.get("/v1/fields/schema")).json()
    await rig.drain()

    assert [201, 201] == [one.status_code for one in declared]
    assert {"boats": 2, "interests": ["sea", "wood"]} == made.json()["custom"]
    assert {"interests": ["snow"]} == changed.json()["custom"]
    assert [("interests", "snow", None, None)] == await rows_of(rig)
    assert [2, None] == history[0]["changes"]["custom.boats"]
    assert "said so by phone" == history[0]["reason"]
    assert {"boats", "interests"} == set(schema["properties"])
    assert "Boats" == schema["properties"]["boats"]["title"]
    assert 2 == len(rig.items(PersonChangedV1))


@pytest.mark.parametrize(
    ("custom", "said"),
    [
        ({"shoes": 42}, "custom.shoes: is not declared"),
        ({"boats": 21}, "custom.boats: is 21, it must be at most 20"),
        ({"boats": "two"}, "custom.boats: write a whole number"),
        ({"boats": True}, "custom.boats: write a whole number"),
        ({"interests": ["fire"]}, "custom.interests: choose one of sea, snow, wood"),
        ({"interests": "sea"}, "custom.interests: write a list"),
        ({"remark": "fnr 010190 12480"}, "custom.remark: looks like a national identity number"),
        ({"remark": "x" * 41}, "custom.remark: has 41 signs"),
        ({"fnr": "010190 12481"}, "custom.fnr: this is no identity number of NO"),
    ],
)
async def test_a_value_that_does_not_fit_is_refused_with_field_and_reason(rig_for, custom, said):
    rig = await rig_for(SPEC, start=False)
    remark = {"key": "remark", "kind": "text", "rules": {"max_length": 40}}

    async with rig.client() as client:
        for one in (BOATS, INTERESTS, FNR, remark):
            await client.post("/v1/fields", json=one)
        answer = await client.post("/v1/contacts", json={**KARI, "custom": custom})
        listed = await client.get("/v1/contacts")

    assert 422 == answer.status_code, answer.text
    assert answer.json()["detail"].startswith(said)
    assert f"custom.{next(iter(custom))}" == answer.json()["errors"][0]["field"]
    assert [] == listed.json()["items"]


async def test_an_identity_number_is_kept_apart_masked_in_no_event_and_shown_with_an_audit_entry(
    rig_for,
):
    rig = await rig_for(SPEC)

    async with rig.client(caller="anna") as client:
        await client.post("/v1/fields", json=FNR)
        made = await client.post("/v1/contacts", json={**KARI, "custom": {"fnr": "010190 12480"}})
        where = made.headers["location"]
        listed = (await client.get("/v1/contacts")).json()["items"]
        history = (await client.get(f"{where}/changes")).text
        shown = await client.get(f"{where}/fields/fnr")
        emptied = await client.patch(
            where, json={"custom": {"fnr": None}}, headers={"If-Match": "*"}
        )
        gone = await client.get(f"{where}/fields/fnr")
    await rig.drain()
    pool = await rig.service.database.pool()
    log = [tuple(row) for row in await pool.fetch("SELECT actor, action, subject FROM audit")]

    assert {"fnr": "••••"} == made.json()["custom"] == listed[0]["custom"]
    assert {"key": "fnr", "value": "01019012480"} == shown.json()
    assert "12480" not in history
    assert ("anna", "fields.secret_shown", made.json()["id"]) in log
    assert "12480" not in str(log)
    assert ({}, 404) == (emptied.json()["custom"], gone.status_code)
    assert all("12480" not in card.model_dump_json() for card in rig.items(PersonChangedV1))


async def test_rules_are_loosened_only_and_a_field_in_use_is_closed_not_deleted(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        first = await client.post("/v1/fields", json={**BOATS, "is_filtered": False})
        twice = await client.post("/v1/fields", json=BOATS)
        await client.post("/v1/contacts", json={**KARI, "custom": {"boats": 3}})
        body = {"titles": BOATS["titles"], "rules": {"min": 0, "max": 30}, "is_filtered": True}
        blind = await client.put("/v1/fields/boats", json=body)
        tag = {"If-Match": first.headers["etag"]}
        wider = await client.put("/v1/fields/boats", json=body, headers=tag)
        narrower = await client.put(
            "/v1/fields/boats", json={**body, "rules": {"max": 2}}, headers={"If-Match": "*"}
        )
        deleted = await client.delete("/v1/fields/boats")
        closed = await client.put(
            "/v1/fields/boats", json={**body, "is_closed": True}, headers={"If-Match": "*"}
        )
        late = await client.post(
            "/v1/contacts",
            json={"full_name": "B", "email": "b@example.com", "custom": {"boats": 1}},
        )

    assert [409, 422, 200, 409, 409, 200, 422] == [
        one.status_code for one in (twice, blind, wider, narrower, deleted, closed, late)
    ]
    assert "max may only be loosened" in narrower.json()["detail"]
    assert "is closed" in late.json()["detail"]
    # What was there before the field was filtered is indexed too.
    assert [("boats", None, Decimal(3), None)] == await rows_of(rig)


async def test_several_choices_that_are_there_are_indexed_when_conditions_want_them(rig_for):
    rig = await rig_for(SPEC, start=False)
    plainly = {**INTERESTS, "is_filtered": False}

    async with rig.client() as client:
        await client.post("/v1/fields", json=plainly)
        await client.post("/v1/contacts", json={**KARI, "custom": {"interests": ["sea", "wood"]}})
        body = {"rules": INTERESTS["rules"], "is_filtered": True}
        on = await client.put("/v1/fields/interests", json=body, headers={"If-Match": "*"})
        indexed = await rows_of(rig)
        off = await client.put(
            "/v1/fields/interests", json={**body, "is_filtered": False}, headers={"If-Match": "*"}
        )

    assert [200, 200] == [on.status_code, off.status_code], on.text
    assert ["sea", "wood"] == [text for _, text, _, _ in indexed]
    async with read(rig.service.scope) as tx:
        families = list(await tx.scalars(select(table_of(TouchedPerson).c.families)))
    assert any(Family.FIELD & one for one in families)
    assert [] == await rows_of(rig)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"key": "schema", "kind": "text"}, "taken by the API"),
        ({"key": "a", "kind": "text", "rules": {"min": 1}}, "has no such rule"),
        ({"key": "a", "kind": "choice"}, "at least one choice"),
        ({"key": "a", "kind": "number", "rules": {"min": 2, "max": 1}}, "greater than"),
        ({"key": "a", "kind": "number", "rules": {"min": "two"}}, "write a number"),
        ({"key": "a", "kind": "date", "rules": {"min": "31/12"}}, "write a day"),
        ({"key": "a", "kind": "national_id"}, "whose numbers"),
        ({**FNR, "is_filtered": True}, "nobody is chosen by an identity number"),
        ({"key": "Ä", "kind": "text"}, "key"),
        ({"key": "a", "kind": "colour"}, "kind"),
    ],
)
async def test_a_declaration_that_cannot_be_is_refused(rig_for, body, said):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post("/v1/fields", json=body)

    assert 422 == answer.status_code, answer.text
    assert said in answer.json()["detail"]


def field_of(kind, **rules):
    return CustomField(key="a", kind=kind, titles={}, rules=rules, created_at=None, updated_at=None)


@pytest.mark.parametrize(
    ("kind", "given_value", "kept"),
    [
        (FieldKind.DECIMAL, "12,50", "12.5"),
        (FieldKind.DECIMAL, 0.1, "0.1"),
        (FieldKind.DATE, "31.12.2026", "2026-12-31"),
        (FieldKind.DATE, "2026-02-28", "2026-02-28"),
        (FieldKind.FLAG, "Ja", True),
        (FieldKind.FLAG, False, False),
        (FieldKind.NUMBER, "-7", -7),
    ],
)
def test_nordic_spellings_become_one(kind, given_value, kept):
    assert kept == read_value(field_of(kind), given_value)


@pytest.mark.parametrize(
    ("kind", "given_value"),
    [
        (FieldKind.DATE, "30.02.2026"),
        (FieldKind.DATE, "02/28/2026"),
        (FieldKind.DECIMAL, "1e400"),
        (FieldKind.DECIMAL, "NaN"),
        (FieldKind.NUMBER, "1" * 400),
        (FieldKind.FLAG, "maybe"),
        (FieldKind.TEXT, ["a"]),
    ],
)
def test_what_is_no_such_value_is_refused(kind, given_value):
    with pytest.raises(ValueRefused):
        read_value(field_of(kind), given_value)


@given(
    kind=st.sampled_from([FieldKind.NUMBER, FieldKind.DECIMAL, FieldKind.DATE, FieldKind.TEXT]),
    given_value=st.one_of(
        st.text(max_size=30),
        st.integers(),
        st.floats(),
        st.dates().map(date.isoformat),
        st.decimals().map(str),
    ),
)
def test_a_value_is_refused_or_kept_in_a_spelling_that_reads_as_itself_and_can_be_indexed(
    kind, given_value
):
    field = field_of(kind)
    try:
        once = read_value(field, given_value)
    except ValueRefused:
        return
    assert once == read_value(field, once)
    assert 1 == len(columns_of(kind, once))
