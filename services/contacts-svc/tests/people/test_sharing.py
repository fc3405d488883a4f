"""Whose draft it is when phones are shared."""

import pytest
from sqlalchemy import select

from contacts_svc.base import plain, table_of
from contacts_svc.main import SPEC
from contacts_svc.people.holders import find_holders
from contacts_svc.people.model import Draft, Identifier, OnExisting, Origin, Verdict
from contacts_svc.people.names import are_different
from contacts_svc.people.queries import lock_owners
from contacts_svc.people.rules import normalise_email, normalise_phone
from contacts_svc.people.usecases import save_drafts
from kantis_kit.tx import read, write

PHONE = "412 34 567"


def draft(name, email="", phone=PHONE):
    return Draft(
        {"full_name": name, "country": "NO"},
        normalise_email(email) if email else None,
        normalise_phone(phone, "NO") if phone else None,
    )


async def save(rig, *drafts):
    async with write(rig.service.scope) as tx:
        return await save_drafts(tx, drafts, existing=OnExisting.UPDATE, origin=Origin("file"))


async def phones(rig):
    table = table_of(Identifier)
    async with read(rig.service.scope) as tx:
        rows = await tx.execute(
            select(table.c.person_id, table.c.is_identifying, table.c.is_primary)
            .where(table.c.kind == "phone")
            .order_by(~table.c.is_identifying)
        )
        return plain(rows)


async def test_rows_with_one_phone_but_other_mailboxes_and_names_are_two_people_also_the_second_time(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    couple = [draft("Kari Nes", "kari@example.com"), draft("Ola Nes", "ola@example.com")]

    first = await save(rig, *couple)
    again = await save(rig, *couple)
    one_by_one = [(await save(rig, one))[0] for one in couple]

    assert [Verdict.CREATED, Verdict.CREATED] == [one.verdict for one in first]
    for later in (again, one_by_one):
        assert [Verdict.UNCHANGED] * 2 == [one.verdict for one in later]
        assert [one.person_id for one in first] == [one.person_id for one in later]
    assert [(first[0].person_id, True, True), (first[1].person_id, False, True)] == await phones(
        rig
    )


async def test_another_mailbox_of_the_same_name_is_the_same_person(rig_for):
    rig = await rig_for(SPEC, start=False)

    first = await save(rig, draft("Kari Nes", "kari@example.com"))
    second = await save(rig, draft("Kari", "kari@work.example.com"))

    assert Verdict.UPDATED is second[0].verdict
    assert first[0].person_id == second[0].person_id


async def test_a_shared_phone_alone_tells_nobody(rig_for):
    rig = await rig_for(SPEC, start=False)
    switchboard = draft("Kari Nes", "kari@example.com")
    switchboard.shares_phone = True

    await save(rig, switchboard)
    (refused,) = await save(rig, draft("Ola Nes"))

    assert Verdict.REFUSED is refused.verdict
    assert "several contacts share this phone number" in refused.reason


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("Kari Nes", "Ola Nes", True),
        ("Kari Nes", "Nes, Kari", False),
        ("K. Nes", "Kari Nes", False),
        ("Kari", "Kari Nes", False),
        ("Åse Nes", "Ase Nes", True),
        ("", "Kari", False),
        ("李明", "Kari Nes", True),
    ],
)
def test_names_are_of_two_people_only_when_each_has_a_word_that_the_other_lacks(one, other, differ):
    assert differ is are_different({"full_name": one}, {"full_name": other})


async def test_the_check_on_write_finds_whole_people_whose_changes_are_kept(rig_for):
    rig = await rig_for(SPEC, start=False)
    first, second = await save(
        rig, draft("Kari Nes", "kari@example.com"), draft("Ola Nes", "ola@example.com")
    )
    keys = [one.key for one in (normalise_email("kari@example.com"), normalise_phone(PHONE, "NO"))]

    async with write(rig.service.scope) as tx:
        read_whole = (await lock_owners(tx, keys))[keys[0]].model_dump()
    async with write(rig.service.scope) as tx:
        owners, sharers = await find_holders(tx, keys)
        found = owners[keys[0]]
        again, _ = await find_holders(tx, keys)
        told = found.model_dump()
        found.custom, found.note = {"shoe": 42}, "runs"
    async with write(rig.service.scope) as tx:
        kept = (await find_holders(tx, keys))[0][keys[1]]
        nobody = await find_holders(tx, [])

    assert (first.person_id, read_whole) == (found.id, told)
    assert all(held[key] is found for key in keys for held in (owners, again))
    assert {keys[1]: {second.person_id}} == sharers
    assert ({"shoe": 42}, "runs") == (kept.custom, kept.note)
    assert ({}, {}) == nobody
