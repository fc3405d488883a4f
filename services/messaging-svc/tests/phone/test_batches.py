"""Lists of calls for somebody who calls elsewhere: given out as a file, outcomes that come back as one."""

import csv
import io
from datetime import UTC, datetime, timedelta

from kantis_contracts.messaging import CallEndedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

NIGHT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def table(content):
    """Read a file as a spreadsheet shows it."""
    read = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    return [{name: value.removeprefix("'") for name, value in row.items()} for row in read]


def filled(rows, *outcomes):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=";")
    writer.writeheader()
    writer.writerows({**row, **told} for row, told in zip(rows, outcomes, strict=True))
    return out.getvalue().encode("utf-8-sig")


async def give_out(room, **body):
    async def given():
        answer = await room.call("POST", "batches", json={"call_centre": "Ring & Co"} | body)
        return answer.json() if answer.status_code == 201 else None

    return await eventually(given, message="there was nobody to call")


async def send(room, batch, content):
    return await room.call(
        "POST", f"batches/{batch['id']}/outcomes", content=content, headers={"Content-Type": "text/csv"}
    )  # fmt: skip


async def test_a_list_leaves_as_a_file_and_its_outcomes_come_back_as_one(room):
    room.clock.set(NIGHT)  # whoever takes a list calls later
    people = [room.person(n) for n in (0, 2, 4, 6)]
    await room.launch(people)
    await room.look_over()
    batch = await give_out(room)
    assert (4, 4, 0) == (batch["calls"], batch["open"], batch["ended"])
    room.clock.set(NIGHT + timedelta(hours=8))
    assert (await room.next())["call"] is None, "the list is elsewhere"

    rows = table((await room.call("GET", f"batches/{batch['id']}/calls.csv")).content)
    assert {one.phone for one in people} == {row["phone"] for row in rows}
    assert all("Vi har Lampe" in row["script"] for row in rows)
    assert {("+0100", "1 09:00-21:00, 2 09:00-21:00")} == {
        (row["utc_offset"], row["hours"][:28]) for row in rows
    }
    told = filled(
        rows,
        {"outcome": "Reached_Yes", "needs": "warm_light|garden", "objections": "too_dear"},
        {"outcome": "call_back", "call_back_at": "2026-11-26 14:30"},
        {"outcome": "sang"},
        {"outcome": ""},
    )
    answer = (await send(room, batch, told)).json()

    assert (3, 2, 0, False) == tuple(
        answer[name] for name in ("rows", "taken", "already", "is_repeat")
    ), answer
    assert [(4, rows[2]["call_id"])] == [(one["row"], one["call_id"]) for one in answer["rejected"]]
    assert "'sang' is none of" in answer["rejected"][0]["message"]
    back = await room.call("GET", f"batches/{batch['id']}/outcomes/{answer['id']}/rejects.csv")
    assert [rows[2]["call_id"]] == [row["call_id"] for row in table(back.content)]
    again = (await send(room, batch, told)).json()
    assert (answer["id"], True) == (again["id"], again["is_repeat"])
    more = (await send(room, batch, told + b"\r\n")).json()
    assert (0, 2, 1) == (more["taken"], more["already"], len(more["rejected"]))
    await room.house.rig.drain()
    ended = {one.outcome: one for one in room.house.rig.items(CallEndedV1)}
    assert {"reached_yes", "call_back"} == set(ended)
    assert ["warm_light", "garden", "too_dear"] == [
        one.term for one in ended["reached_yes"].learned
    ]
    assert datetime(2026, 11, 26, 13, 30, tzinfo=UTC) == ended["call_back"].call_back_at

    recalled = await room.call("POST", f"batches/{batch['id']}/recall")

    assert (2, 0) == (recalled.json()["ended"], recalled.json()["open"])
    assert {rows[2]["phone"], rows[3]["phone"]} == {
        (await room.take())["phone"], (await room.take())["phone"]
    }  # fmt: skip
    late = (await send(room, batch, filled(rows[3:], {"outcome": "busy"}))).json()
    assert (0, 1) == (late["taken"], len(late["rejected"])), "others have it now"


async def test_a_file_that_is_none_is_refused_and_a_row_of_another_list_comes_back(room):
    await room.launch([room.person(n) for n in (0, 2)])
    batches = [await give_out(room, calls=1) for _ in range(2)]
    rows = [
        table((await room.call("GET", f"batches/{one['id']}/calls.csv")).content) for one in batches
    ]

    for content, words in (
        (b"\xff\xfe", "not UTF-8"),
        (b"", "names no column"),
        (b"call_id;note\r\n", "no column outcome"),
        (b"call_id;outcome\r\n\x00", "NUL"),
    ):
        refused = await send(room, batches[0], content)
        assert 422 == refused.status_code
        assert words in refused.json()["detail"], refused.text
    assert 404 == (await send(room, {"id": new_id()}, b"call_id;outcome\r\n")).status_code

    foreign = filled(rows[1] * 2, {"outcome": "busy"}, {"outcome": "busy", "call_id": "17"})
    answer = (await send(room, batches[0], foreign)).json()

    assert [2, 3] == [one["row"] for one in answer["rejected"]]
    assert 0 == answer["taken"]
    nobody = await room.call("POST", "batches", json={"call_centre": "Ring & Co"})
    assert (409, "urn:kantis:problem:nobody-to-call") == (nobody.status_code, nobody.json()["type"])
