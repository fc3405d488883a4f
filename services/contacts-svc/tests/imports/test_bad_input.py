"""What is bad about a file or a row, and the answer that its sender gets."""

from datetime import timedelta

import pytest

from contacts_svc.main import SPEC


async def test_a_row_without_phone_and_mail_comes_back_with_what_to_add(rig_for, door):
    rig = await rig_for(SPEC)

    done = await door.take(rig, f"{door.head}Uten;Adresse;;;;\r\n{door.kari}")
    given_back = await door.rejects(rig, done)

    assert (1, 1) == (done["created"], done["rejected"])
    assert "2;there is neither an e-mail address nor a phone number" in given_back
    assert "Uten;Adresse" in given_back


@pytest.mark.parametrize(
    "spoiled",
    [
        b"\x9f\x8d\xffX;Kari;kari@example.com;;;\r\n",
        "Kari;Ø;kari@example.com;;;\r\n".encode("utf-16-le"),
        b"K\xc3;\xd8deg\xe5rd;kari@example.com;;;\r\n",
    ],
)
async def test_a_row_in_another_encoding_costs_no_other_row(rig_for, door, spoiled):
    rig = await rig_for(SPEC)
    good = "".join(f"Åse{n};Ødegård;ase{n}@example.com;;;\r\n" for n in range(50))

    done = await door.take(rig, f"{door.head}{good}".encode() + spoiled)
    people = await door.contacts(rig)

    assert ("done", "utf-8") == (done["state"], done["encoding"])
    assert done["created"] >= 50
    assert "Åse7 Ødegård" == people["ase7@example.com"]["full_name"]


async def test_a_file_of_the_future_is_refused(rig_for, door):
    rig = await rig_for(SPEC)

    refused = await door.send(
        rig, door.head + door.kari, status=422, as_of="2999-01-01T00:00:00+00:00"
    )

    assert "as_of" in refused["detail"]
    assert "future" in refused["detail"]
    assert {} == await door.contacts(rig)


async def test_a_row_of_the_future_is_given_back_and_the_others_are_taken(rig_for, door):
    rig = await rig_for(SPEC)
    today = rig.clock.now().date()
    days = [today + timedelta(days=days) for days in (-1, 0, 2, 400)]
    rows = "".join(f"Kari {n},k{n}@example.com,{day}\n" for n, day in enumerate(days))

    done = await door.take(rig, f"name,email,as_of\n{rows}")

    assert (2, 2) == (done["created"], done["rejected"])
    assert {"k0@example.com", "k1@example.com"} == set(await door.contacts(rig))
    told = await door.rejects(rig, done)
    assert [f"as_of: {day} lies in the future" in told for day in days] == [
        False,
        False,
        True,
        True,
    ]


async def test_two_rows_with_one_phone_are_two_people_and_the_third_is_the_first(rig_for, door):
    rig = await rig_for(SPEC)
    rows = (
        "Kari;Nes;kari@example.com;412 34 567;;\r\n"
        "Ola;Dal;ola@example.com;+47 41234567;;\r\n"
        "Kari;Nes;kari@example.com;41234567;;\r\n"
    )

    done = await door.take(rig, door.head + rows)

    assert (2, 0, 0) == (done["created"], done["updated"], done["rejected"])
    people = await door.contacts(rig)
    assert {"+4741234567"} == {one["phone"] for one in people.values()}
