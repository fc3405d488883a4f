"""Files of responses: good rows in, the others back with reasons, once each whatever happens."""

import asyncio

import orjson
import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import AddressCorrectedV1, ResponseRegisteredV1, ResponseWay
from kantis_kit import failpoints

PROBLEM = "urn:kantis:problem:"


def table(*rows: str) -> bytes:
    return "".join(f"{row}\r\n" for row in ("KODE;SVAR;BARN", *rows)).encode()


async def test_good_rows_are_responses_and_the_others_come_back_to_be_mended(sender):
    codes = await sender.pieces(6)
    await sender.csv(terms={"children": {"2": "has_children"}})
    swapped = codes[4][1] + codes[4][0] + codes[4][2:]
    first = await sender.send(
        table(
            f"{codes[0]};J;2",
            f"{codes[1]};S;0",
            f"{codes[2]};N;",
            "",
            f"{codes[3]};X;1",
            f"{swapped};J;1",
            f"{sender.code(99)};J;",
            f"{codes[0]};J;2",
            f"{codes[5]};J",
        )
    )
    told = (await sender.rejects(first)).decode()

    mended = told.replace(";X;", ";J;").replace(swapped, codes[4])
    second = await sender.send(mended.encode())

    assert ("done", 1) == (first["state"], first["empty"])
    assert (3, 1, 0, 4) == sender.counts(first)
    lines = told.splitlines()
    assert "KODE;SVAR;BARN;row_number;reason" == lines[0]
    assert ["6", "7", "8", "10"] == [line.split(";")[3] for line in lines[1:]]
    assert "the mapping knows order, inquiry" in lines[1]
    assert f"differ by one slip: {codes[4]}" in lines[2]
    assert "no piece carries" in lines[3]
    assert "2 cells instead of 3" in lines[4]
    assert (3, 0, 0, 1) == sender.counts(second)
    answered = {
        answer.term for one in sender.desk.rig.items(ResponseRegisteredV1) for answer in one.answers
    }
    assert {"has_children", ""} == answered
    assert [(4,)] == await sender.desk.rows("SELECT count(*) FROM sales_order")


async def test_the_same_file_again_is_answered_with_what_took_it(sender):
    codes = await sender.pieces(1)
    await sender.csv()
    body = table(f"{codes[0]};S;")

    answers = await asyncio.gather(*(sender.post(body) for _ in range(3)))
    await sender.desk.drain()

    assert [200, 200, 202] == sorted(answer.status_code for answer in answers)
    assert 1 == len({answer.json()["file_id"] for answer in answers})
    assert [(1,)] == await sender.desk.rows("SELECT count(*) FROM response")
    assert 1 == len((await sender.desk.get("/v1/response-files"))["items"])


async def test_rows_of_a_doubled_file_have_come_before(sender):
    codes = await sender.pieces(2)
    await sender.csv()
    rows = [f"{one};S;" for one in codes]

    file = await sender.send(table(*rows, *rows))
    other = await sender.send(table(*rows, *rows, ""))

    assert (2, 2, 0, 0) == sender.counts(file)
    assert (0, 4, 0, 0) == sender.counts(other)


async def test_a_file_goes_on_where_it_was_when_its_process_died(sender):
    codes = await sender.pieces(8)
    await sender.csv()
    died = asyncio.Event()
    failpoints.arm("timer.before_commit", "raise", nth=2)
    failpoints.on("timer.before_commit", died.set)

    file = await sender.send(table(*(f"{one};S;" for one in codes)))

    assert died.is_set()
    assert "done" == file["state"]
    assert (8, 0, 0, 0) == sender.counts(file)
    assert 8 == len(sender.desk.rig.items(ResponseRegisteredV1))


async def test_windows_letters_in_a_utf_8_file_come_back_readable_and_the_rest_is_taken(sender):
    codes = await sender.pieces(2)
    await sender.csv()
    broken = f"{codes[0]};S;två små\r\n".encode("windows-1252")

    file = await sender.send(table(f"{codes[1]};S;två") + broken)
    told = (await sender.rejects(file)).decode()
    again = await sender.send(told.encode())

    assert (1, 0, 0, 1) == sender.counts(file)
    assert "två små" in told
    assert "byte 0xe5 is not UTF-8; as Windows-1252" in told
    assert (1, 0, 0, 0) == sender.counts(again)


async def test_a_file_that_is_cut_is_refused_by_its_count_or_told_by_its_last_row(sender):
    codes = await sender.pieces(2)
    await sender.csv()
    whole = table(*(f"{one};S;1" for one in codes))

    refused = await sender.post(whole[:-12], rows=3)
    file = await sender.send(whole[: -len("1\r\n;S;1")])

    assert (422, f"{PROBLEM}file-cut") == (refused.status_code, refused.json()["type"])
    assert "Nothing of it was taken" in refused.json()["detail"]
    assert (1, 0, 0, 1) == sender.counts(file)
    assert "the file may be cut here" in (await sender.rejects(file)).decode()


async def test_a_fixed_file_by_signs_and_its_rows_back_in_place(sender):
    codes = await sender.pieces(2)
    places = {
        "code": {"start": 3, "length": 10},
        "kind": {"start": 14, "length": 1},
        "note": {"start": 15, "length": 8},
    }
    await sender.declare(
        form="fixed", way="barcode", fields=places, kinds={"1": "inquiry"}, encoding="iso-8859-1"
    )  # fmt: skip

    file = await sender.send(
        f"01{codes[0]} 1blå    \n01{codes[1]} 9\n01{codes[1]} 1".encode("iso-8859-1")
    )
    told = (await sender.rejects(file)).decode("iso-8859-1")
    again = await sender.send(told.replace(" 9", " 1").encode("iso-8859-1"))

    assert (1, 0, 0, 2) == sender.counts(file)
    first, last = told.splitlines()
    assert first.startswith(f"01{codes[1]} 9         #2 kind:")
    assert "the file may be cut here" in last
    assert (1, 1, 0, 0) == sender.counts(again)
    assert [("blå",)] == await sender.desk.rows("SELECT note FROM response WHERE note <> ''")


async def test_json_lines_by_their_paths(sender):
    codes = await sender.pieces(2)
    await sender.declare(
        form="json_lines", way="keyed", kind="order",
        fields={"code": "piece.code", "quantity": "n", "sku": "sku", "street": "to.street", "country": "to.country"},
    )  # fmt: skip
    rows = [
        {"piece": {"code": codes[0]}, "n": 2, "sku": "BLANKET", "to": {"street": "Nygata 2"}},
        {"piece": {"code": codes[1]}, "sku": "HAT"},
        {"piece": {"code": codes[1]}, "n": 0},
    ]

    file = await sender.send(b"\n".join(map(orjson.dumps, rows)) + b"\n[1]\n{")
    told = [orjson.loads(line) for line in (await sender.rejects(file)).splitlines()]

    assert (1, 0, 0, 4) == sender.counts(file)
    assert ["sku", "quantity", "this is no JSON object", "this is no JSON (unexpected"] == [
        one["reason"][: len(start)]
        for one, start in zip(
            told,
            ("sku", "quantity", "this is no JSON object", "this is no JSON (unexpected"),
            strict=True,
        )
    ]
    (moved,) = sender.desk.rig.items(AddressCorrectedV1)
    assert ("Nygata 2", "NO") == (moved.street, moved.country)


async def test_callers_are_known_by_their_number_once_per_row(sender):
    await sender.pieces(0)
    kari, ola, twin = (
        sender.desk.person(phone="+4741234567"),
        sender.desk.person(phone="+4798765432"),
        sender.desk.person(phone="+4798765432"),
    )
    await sender.desk.rig.publish(PersonChangedV1(items=(kari, ola, twin)))
    await sender.desk.drain()
    await sender.declare(
        form="csv", way="phone", kind="inquiry", has_header=False,
        fields={"phone": "1", "responded_at": "2", "note": "3"},
    )  # fmt: skip
    at = sender.desk.rig.clock.now().replace(tzinfo=None).isoformat()
    rows = f"412 34 567;{at[:10]}T00:01:00;ring me\n98765432;;\n40000000;;\nabc;;\n"

    file = await sender.send(rows.encode())
    again = await sender.send(f"{rows}\n".encode())
    (shared, *_) = (await sender.desk.get("/v1/response-files/reviews", file_id=file["file_id"]))[
        "items"
    ]
    path = f"/v1/response-files/reviews/{shared['review_id']}/decide"
    unsure = await sender.client.post(path, json={"decision": "take"})
    taken = await sender.client.post(
        path, json={"decision": "take", "person_id": str(ola.person_id), "decided_by": "KN"}
    )
    late = await sender.client.post(path, json={"decision": "drop"})
    told = (await sender.rejects(file)).decode()
    await sender.desk.drain()

    assert (1, 0, 1, 2) == sender.counts(file)
    assert (0, 1, 1, 2) == sender.counts(again)
    assert "2 people have the number +4798765432" == shared["reason"].removeprefix("phone: ")
    assert {str(ola.person_id), str(twin.person_id)} == set(shared["doubts"]["phone"])
    assert (422, f"{PROBLEM}row-refused") == (unsure.status_code, unsure.json()["type"])
    assert (200, "taken", "KN") == (
        taken.status_code,
        taken.json()["state"],
        taken.json()["decided_by"],
    )
    assert (409, f"{PROBLEM}review-decided") == (late.status_code, late.json()["type"])
    assert "nobody whom we know has the number +4740000000" in told
    assert "'abc' is no telephone number" in told
    assert [kari.person_id, ola.person_id] == [
        one.person_id for one in sender.desk.rig.items(ResponseRegisteredV1)
    ]


async def test_what_was_read_without_certainty_waits_for_a_person(sender):
    codes = await sender.pieces(3)
    await sender.csv(
        way="optical", least_confidence=85, full_confidence=1,
        fields={
            "code": "KODE", "kind": "SVAR", "answer.children": "BARN",
            "confidence.code": "C1", "confidence.kind": "C2",
        },
    )  # fmt: skip
    rows = "KODE;SVAR;BARN;C1;C2\n" + "".join(
        f"{one};J;{number};{sure};0,99\n"
        for number, (one, sure) in enumerate(
            zip([codes[0], codes[1][:-1] + "?", codes[2]], ["0.97", "0.42", "0.3"], strict=True)
        )
    )

    file = await sender.send(rows.encode())
    first, second = (await sender.desk.get("/v1/response-files/reviews"))["items"]
    bad = await sender.client.post(
        f"/v1/response-files/reviews/{first['review_id']}/decide", json={"decision": "take"}
    )
    taken = await sender.client.post(
        f"/v1/response-files/reviews/{first['review_id']}/decide",
        json={"decision": "take", "corrections": {"code": codes[1], "kind": "S"}},
    )
    dropped = await sender.client.post(
        f"/v1/response-files/reviews/{second['review_id']}/decide",
        json={"decision": "drop", "note": "a test print"},
    )

    assert (1, 0, 2, 0) == sender.counts(file)
    assert ({"code": 42.0}, "read without certainty: code 42 %") == (
        first["doubts"],
        first["reason"],
    )
    assert (422, "code:") == (bad.status_code, bad.json()["detail"][:5])
    response = await sender.desk.get(f"/v1/responses/{taken.json()['response_id']}")
    assert ("inquiry", ResponseWay.OPTICAL, codes[1], file["file_id"]) == tuple(
        response[name] for name in ("kind", "way", "response_code", "file_id")
    )
    assert ("dropped", {}) == (dropped.json()["state"], dropped.json()["read"])
    assert [] == (await sender.desk.get("/v1/response-files/reviews"))["items"]


async def test_codes_may_wait_for_their_pieces_when_the_mapping_says_so(sender):
    await sender.csv(unknown_codes="wait")

    file = await sender.send(table(f"{sender.code(7)};J;"))
    (waiting,) = (await sender.desk.get("/v1/responses", state="unresolved"))["items"]
    product = await sender.desk.product()
    person = sender.desk.person()
    await sender.desk.rig.publish(sender.desk.piece(person, product, sender.code(7)))
    await sender.desk.drain()

    assert (1, 0, 0, 0) == sender.counts(file)
    later = await sender.desk.get(f"/v1/responses/{waiting['response_id']}")
    assert ("resolve_code", "ship_order") == (waiting["next_step"], later["next_step"])


async def test_a_preview_shows_the_first_rows_and_keeps_nothing(sender):
    codes = await sender.pieces(1)
    await sender.csv()

    answer = await sender.post(table(f"{codes[0]};J;2", "ABC;J;"), preview=True)

    shown = answer.json()
    assert (200, 2, ["KODE", "SVAR", "BARN"]) == (
        answer.status_code,
        shown["rows"],
        shown["header"],
    )
    assert {"code": codes[0], "kind": "J", "answer.children": "2"} == shown["first_rows"][0]["read"]
    assert ["row 3: code: a code has 6 to 16"] == [one[:31] for one in shown["problems"]]
    assert [(0, 0)] == await sender.desk.rows(
        "SELECT (SELECT count(*) FROM response), (SELECT count(*) FROM response_file)"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"CODE;SVAR\n", "the file has no column BARN, KODE; it has CODE, SVAR"),
        ("KODE;SVAR\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\x00\x00", "this is not text"),
    ],
    ids=["empty", "other columns", "utf-16", "workbook"],
)
async def test_a_file_that_is_not_what_its_mapping_says_is_refused_whole(sender, content, said):
    await sender.csv()

    answer = await sender.post(content)

    assert (422, f"{PROBLEM}unreadable-file") == (answer.status_code, answer.json()["type"])
    assert said in answer.json()["detail"]
    assert [] == (await sender.desk.get("/v1/response-files"))["items"]


async def test_a_file_without_a_mapping_and_one_of_another_kind_are_refused(sender):
    nameless = await sender.post(b"x", mapping="nobody")
    picture = await sender.client.post(
        "/v1/response-files",
        params={"mapping": "scans"},
        content=b"x",
        headers={"content-type": "image/png"},
    )

    assert (404, f"{PROBLEM}mapping-not-found") == (nameless.status_code, nameless.json()["type"])
    assert 415 == picture.status_code


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fields": {"kind": "A"}}, "a row needs a code or a phone"),
        ({"fields": {"code": "A"}, "kinds": {}}, "say what rows are"),
        ({"fields": {"code": "A", "colour": "B"}, "kind": "order"}, "no field is called colour"),
        ({"form": "fixed"}, "a fixed row needs start and length"),
        ({"has_header": False}, "columns are numbers from 1 on"),
    ],
    ids=["nobody", "no kind", "odd field", "no place", "no number"],
)
async def test_a_mapping_that_cannot_work_is_refused_when_it_is_declared(sender, change, said):
    body = {"form": "csv", "way": "barcode", "fields": {"code": "A", "kind": "B"}, **change}

    answer = await sender.client.put("/v1/response-files/mappings/scans", json=body)

    assert 422 == answer.status_code
    assert said in answer.text
