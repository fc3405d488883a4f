"""Post that comes back: by scan, keyed or file; whose it was, what follows, what it cost."""

import pytest

from kantis_contracts.messaging import LetterIdentified, LetterIdentifiedV1
from kantis_contracts.orders import PostReturnedV1
from kantis_kit.ids import new_id

MARK = "0000007000012"
MAPPING = {
    "kind": "csv",
    "delimiter": ";",
    "encoding": "windows-1252",
    "moment_format": "%d.%m.%Y",
    "fields": {
        "code": {"column": "KID"},
        "reason": {"column": "Årsak"},
        "came_at": {"column": "Dato"},
        "street": {"column": "Gate"},
        "postal_code": {"column": "Postnr"},
        "city": {"column": "Sted"},
    },
    "reasons": {"01": "moved", "02": "dead"},
}
HEAD = "KID;Årsak;Dato;Gate;Postnr;Sted\n"


async def note(desk, code, reason="moved", **more):
    return await desk.client.post(
        "/v1/postal-returns", json={"code": code, "reason": reason, **more}
    )


async def send(desk, text, name="ea", encoding="windows-1252"):
    return await desk.client.post(
        f"/v1/postal-returns/files/{name}",
        content=text.encode(encoding),
        headers={"Content-Type": "text/csv"},
    )


async def declare(desk, mapping=None, name="ea"):
    return await desk.client.put(f"/v1/postal-returns/mappings/{name}", json=mapping or MAPPING)


def slug(answer):
    return answer.status_code, answer.json()["type"].split(":")[-1]


async def test_a_letter_with_a_response_code_is_known_at_once_and_counts_once(desk):
    await desk.ready("ABCDE2")

    first = await note(desk, "abcde2", "dead")
    again = await note(desk, "ABCDE2", "dead")
    other = await note(desk, "ABCDE2", "moved")
    await desk.drain()

    assert [201, 200, 409] == [one.status_code for one in (first, again, other)]
    assert ("open", "drop", 2_500) == tuple(
        first.json()[name] for name in ("state", "next_action", "cost_minor")
    )
    assert (409, "noted-otherwise") == slug(other)
    (told,) = desk.rig.items(PostReturnedV1)
    assert (first.json()["person_id"], "dead") == (str(told.person_id), told.reason)


async def test_whose_letter_carries_a_return_mark_is_told_by_messaging(desk):
    person = new_id()
    home = {"street": "Parkveien 2", "postal_code": "0350", "city": "Oslo"}
    known = (await note(desk, MARK, new_address=home)).json()
    nobody = (await note(desk, "0000007000099", is_keyed=True)).json()
    answers = (
        LetterIdentified(return_id=known["return_id"], person_id=person, campaign_id=new_id()),
        LetterIdentified(return_id=nobody["return_id"]),
    )

    for _ in range(2):
        await desk.rig.publish(LetterIdentifiedV1(items=answers))
    await desk.drain()

    rows = (await desk.get("/v1/postal-returns"))["items"]
    assert [("done", "none", "scan"), ("unknown", "find_address", "keyed")] == [
        (one["state"], one["next_action"], one["way"]) for one in rows
    ]
    told = [one for one in desk.rig.items(PostReturnedV1) if one.person_id]
    assert [(person, "Parkveien 2")] == [(one.person_id, one.new_address.street) for one in told]
    assert [(None,)] * 2 == await desk.rows("SELECT new_address FROM postal_return"), (
        "an address is kept no longer than until it is told; of nobody's it was never given"
    )


async def test_a_parcel_that_comes_back_brings_goods(desk):
    await desk.ready("ABCDE2")
    order_id = (await desk.order(code="ABCDE2"))["order_id"]
    await desk.client.post(f"/v1/orders/{order_id}/pick")
    (parcel,) = (await desk.client.post(f"/v1/orders/{order_id}/parcels")).json()["items"]
    await desk.client.post(f"/v1/orders/{order_id}/ship")

    piece = (await note(desk, f"(00){parcel['code']}", "refused")).json()
    found = [{"code": "BLANKET", "quantity": 1}]
    goods = await desk.client.post(
        "/v1/returns/unannounced", json={"code": parcel["code"], "found": found}
    )

    assert ("parcel", "take_in_goods", order_id) == tuple(
        piece[name] for name in ("kind", "next_action", "order_id")
    )
    assert 7_300 == piece["cost_minor"]
    assert "returned" == (await desk.get(f"/v1/parcels/{parcel['parcel_id']}"))["state"]
    assert 24_900 == goods.json()["refund_minor"]
    done = await desk.client.post(f"/v1/postal-returns/{piece['return_id']}/settle")
    assert "done" == done.json()["state"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"code": "RR473124828NO", "reason": "moved"}, 422, "control digit of RR473124828NO"),
        ({"code": "A", "reason": "eaten"}, 422, "reason"),
        ({"code": "", "reason": "moved"}, 422, "code"),
        ({"code": "A", "reason": "moved", "came_at": "2030-01-01T00:00:00Z"}, 422, "future"),
    ],
)
async def test_a_piece_that_cannot_be_is_refused(desk, body, status, said):
    answer = await desk.client.post("/v1/postal-returns", json=body)

    assert status == answer.status_code
    assert said in answer.text


async def test_a_file_is_taken_once_and_bad_lines_say_why(desk):
    await desk.ready("ABCDE2")
    await declare(desk)
    text = (
        HEAD + "ABCDE2;01;01.02.2026;Parkveien 2;0350;Oslo\n"
        "ABCDE2;01;;;;\n"
        "0000007000012;02;;;;\n"
        "0000007000013;77;;;;\n"
        ";01;;;;\n"
        "0000007000014;01;2026-02-01;;;\n"
        "RR473124828NO;01;;;;\n"
    )

    first = (await send(desk, text)).json()
    again = (await send(desk, text)).json()
    more = (await send(desk, HEAD + "ABCDE2;01;;;;\n0000007000019;moved;;;;\n")).json()

    assert (7, 2, 1, 4) == tuple(
        first[name] for name in ("lines", "taken", "known", "rejected_lines")
    )
    assert [5, 6, 7, 8] == [one["line"] for one in first["rejected"]]
    problems = " ".join(one["problem"] for one in first["rejected"])
    for said in ("77 is not in the mapping", "code:", "not written as %d.%m.%Y", "control digit"):
        assert said in problems
    assert again == {**first, "was_taken_before": True}
    assert (1, 1) == (more["taken"], more["known"])


async def test_lines_of_fixed_width_are_read_by_their_characters(desk):
    fields = {"code": {"first": 1, "last": 13}, "reason": {"first": 14, "last": 15}}
    await declare(desk, {"kind": "fixed", "fields": fields, "reasons": {"02": "refused"}})

    answer = (await send(desk, f"{MARK}02 \n{MARK[:-1]}402\n")).json()

    assert (2, 2) == (answer["lines"], answer["taken"])
    rows = (await desk.get("/v1/postal-returns", next_action="drop"))["items"]
    assert MARK in [one["code"] for one in rows]


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("KID;Dato\n1;2\n", "windows-1252", "line 1: there is no column Årsak"),
        ("", "windows-1252", "line 1"),
    ],
)
async def test_a_file_that_is_not_as_its_mapping_says_is_refused_whole(desk, text, encoding, said):
    await declare(desk)

    answer = await send(desk, text, encoding=encoding)
    unknown = await send(desk, HEAD, name="nobodys")

    assert (422, "file-unreadable") == slug(answer)
    assert said in answer.json()["detail"]
    assert (404, "mapping-not-found") == slug(unknown)


async def test_a_file_in_another_encoding_says_at_which_byte(desk):
    await declare(desk, {**MAPPING, "encoding": "utf-8"})

    answer = await send(desk, HEAD)

    assert "byte 4: the file is not utf-8; declare windows-1252" in answer.json()["detail"]


@pytest.mark.parametrize(
    "fields",
    [
        {"code": {"column": "A"}},
        {"code": {"column": "A"}, "reason": {"first": 1, "last": 2}},
        {"code": {"column": "A"}, "reason": {"first": 2}},
        {"code": {"column": "A"}, "reason": {}},
    ],
)
async def test_a_mapping_that_cannot_be_read_by_is_refused(desk, fields):
    assert 422 == (await declare(desk, {"fields": fields})).status_code


async def test_what_came_back_is_reported_with_its_cost_and_what_the_next_mailing_saves(desk):
    await desk.ready("ABCDE2")
    await note(desk, "ABCDE2", "moved")
    await note(desk, MARK, "box_full")

    report = await desk.get("/v1/postal-returns/report")
    later = await desk.get("/v1/postal-returns/report", since="2029-01-01T00:00:00Z")

    assert (2, 5_000, 2_500) == (report["pieces"], report["cost_minor"], report["saving_minor"])
    assert [("box_full", 0), ("moved", 2_500)] == [
        (one["reason"], one["saving_minor"]) for one in report["reasons"]
    ]
    assert {"find_address": 1} == report["waiting"]
    assert 0 == later["pieces"]
