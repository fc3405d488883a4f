"""Pieces are counted in, keyed in one call each, and the batch balances."""

import asyncio
from typing import Any

import pytest

from kantis_contracts.codes import check_character
from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import AddressCorrectedV1, ResponseRegisteredV1

DATA = "7K2M9QX4T"
CODE = DATA + check_character(DATA)


async def opened(desk: Any, counted: int = 3) -> str:
    answer = await desk.client.post(
        "/v1/desk/batches", json={"name": "Monday's post", "counted": counted}
    )
    assert 201 == answer.status_code, answer.text
    return f"/v1/desk/batches/{answer.json()['batch_id']}"


async def test_a_piece_is_keyed_in_one_call_with_all_that_stands_on_it(desk):
    await desk.ready(CODE, country="SE")
    batch = await opened(desk)

    answer = await desk.client.post(
        f"{batch}/entries",
        json={
            "code": f"{CODE[:5]}-{CODE[5:]}".lower(),
            "wishes": ["order", {"kind": "return", "note": "too small"}],
            "answers": [{"question": "children", "answer": "two", "term": "has_children"}],
            "address_correction": {"street": "Nygatan 2", "postal_code": "114 55", "city": "Stockholm"},
            "keyed_by": "KN",
        },
    )  # fmt: skip
    await desk.drain()

    assert 201 == answer.status_code, answer.text
    told = answer.json()
    assert ["ship_order", "take_return"] == [one["next_step"] for one in told["responses"]]
    assert {"KN"} == {one["keyed_by"] for one in told["responses"]}
    assert (3, 1, 0, 2) == tuple(
        told["totals"][key] for key in ("counted", "registered", "rejected", "left")
    )
    assert [{"keyed_by": "KN", "registered": 1, "rejected": 0}] == told["totals"]["keyers"]
    first, second = desk.rig.items(ResponseRegisteredV1)
    assert ["has_children"] == [one.term for one in (*first.answers, *second.answers)]
    corrected = desk.rig.items(AddressCorrectedV1)[0]
    assert ("Nygatan 2", "SE") == (corrected.street, corrected.country)
    order = await desk.get(f"/v1/orders/{told['responses'][0]['order_id']}")
    assert "Nygatan 2" == order["ship_to"]["street"]


async def test_the_same_piece_again_is_shown_and_not_counted(desk):
    await desk.ready(CODE)
    batch = await opened(desk)
    body = {"code": CODE, "wishes": ["order"]}
    first = await desk.client.post(f"{batch}/entries", json=body)

    again = await desk.client.post(f"{batch}/entries", json=body)
    more = await desk.client.post(
        f"{batch}/entries", json={"code": CODE, "wishes": [{"kind": "order", "again": True}]}
    )

    assert [201, 200, 201] == [one.status_code for one in (first, again, more)]
    assert (None, False, 1) == (
        again.json()["entry_id"],
        again.json()["is_new"],
        again.json()["totals"]["registered"],
    )
    assert [first.json()["responses"][0]["response_id"]] == [
        one["response_id"] for one in again.json()["responses"]
    ]
    assert 2 == more.json()["totals"]["registered"]


async def test_a_code_with_a_slip_names_the_codes_that_may_be_meant(desk):
    await desk.ready(CODE)
    batch = await opened(desk)
    swapped = CODE[1] + CODE[0] + CODE[2:]
    misread = CODE[:3] + "N" + CODE[4:]

    answers = [
        await desk.client.post(f"{batch}/entries", json={"code": code, "wishes": ["order"]})
        for code in (swapped, misread)
    ]
    single = await desk.client.post("/v1/responses", json={"code": swapped, "kind": "order"})

    for answer in (*answers, single):
        problem = answer.json()
        assert (422, "urn:kantis:problem:code-mistaken") == (answer.status_code, problem["type"])
        assert [CODE] == problem["near"]
        assert "look at 0 and O" in problem["detail"]
    assert [(0,)] == await desk.rows("SELECT count(*) FROM response")


async def test_a_sound_code_of_a_piece_that_is_not_known_yet_counts_and_waits(desk):
    batch = await opened(desk)

    answer = await desk.client.post(f"{batch}/entries", json={"code": CODE, "wishes": ["inquiry"]})
    product = await desk.product()
    person = desk.person(country="SE")
    await desk.rig.publish(PersonChangedV1(items=(person,)), desk.piece(person, product, CODE))
    await desk.drain()

    assert (201, "resolve_code") == (
        answer.status_code,
        answer.json()["responses"][0]["next_step"],
    )
    (later,) = (await desk.get("/v1/responses", code=CODE))["items"]
    assert ("answer_inquiry", str(person.person_id)) == (later["next_step"], later["person_id"])


async def test_a_batch_closes_when_it_balances_and_lists_the_difference_before(desk):
    await desk.ready(CODE)
    batch = await opened(desk)
    await desk.client.post(f"{batch}/entries", json={"code": CODE, "wishes": ["order"]})
    await desk.client.post(
        f"{batch}/rejects", json={"reason": "unreadable", "code": "7K2?", "keyed_by": "KN"}
    )

    short = await desk.client.post(f"{batch}/close", json={})
    silent = await desk.client.post(f"{batch}/close", json={"accept_difference": True})
    closed = await desk.client.post(f"{batch}/close", json={"counted": 2})
    late = await desk.client.post(f"{batch}/rejects", json={"reason": "empty"})

    assert (409, "urn:kantis:problem:batch-unbalanced") == (
        short.status_code,
        short.json()["type"],
    )
    assert (3, 1, 1, 1) == tuple(
        short.json()[key] for key in ("counted", "registered", "rejected", "left")
    )
    assert {"unreadable": 1} == short.json()["rejected_for"]
    assert 422 == silent.status_code
    assert (200, 0, 0) == (
        closed.status_code,
        closed.json()["difference"],
        closed.json()["totals"]["left"],
    )
    assert (409, "urn:kantis:problem:batch-closed") == (late.status_code, late.json()["type"])


async def test_a_difference_that_somebody_accepts_stays_with_its_reason(desk):
    batch = await opened(desk)

    closed = await desk.client.post(
        f"{batch}/close", json={"accept_difference": True, "note": "leaflets", "closed_by": "KN"}
    )

    assert (200, 3, "leaflets", "KN") == (
        closed.status_code,
        *(closed.json()[key] for key in ("difference", "note", "closed_by")),
    )
    assert [] == (await desk.get("/v1/desk/batches", is_open=True))["items"]


async def test_more_pieces_than_were_counted_in_are_refused(desk):
    batch = await opened(desk, counted=1)
    await desk.client.post(f"{batch}/rejects", json={"reason": "empty"})

    answer = await desk.client.post(f"{batch}/rejects", json={"reason": "empty"})

    assert (409, "urn:kantis:problem:batch-full") == (answer.status_code, answer.json()["type"])
    assert 1 == len((await desk.get(f"{batch}/entries"))["items"])


async def test_several_who_key_at_once_share_a_batch(desk):
    product = await desk.ready(CODE, stock=50)
    codes = [f"K{number:05d}" for number in range(12)]
    await desk.rig.publish(desk.piece(desk.person(), product, *codes))
    await desk.drain()
    batch = await opened(desk, counted=12)

    answers = await asyncio.gather(
        *(
            desk.client.post(
                f"{batch}/entries",
                json={"code": code, "wishes": ["order"], "keyed_by": f"keyer-{index % 3}"},
            )
            for index, code in enumerate(codes)
        )
    )
    totals = (await desk.get(batch))["totals"]

    assert {201} == {answer.status_code for answer in answers}
    assert (12, 0) == (totals["registered"], totals["left"])
    assert [4, 4, 4] == [one["registered"] for one in totals["keyers"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"wishes": ["order"]}, "say who answers"),
        ({"code": "ABCDE2", "wishes": []}, "at least 1"),
        ({"code": "ABCDE2", "wishes": ["order", "order"]}, "each kind of wish once"),
        ({"code": "ABC", "wishes": ["order"]}, "look at the piece again"),
        ({"code": "ABCDE2", "wishes": ["order"], "address_correction": {}}, "write a street"),
        (
            {
                "code": "ABCDE2",
                "wishes": ["order"],
                "answers": [{"question": "a", "answer": "1"}, {"question": "a", "answer": "2"}],
            },
            "answered twice: a",
        ),
    ],
    ids=["nobody", "nothing", "twice", "short", "no address", "two answers"],
)
async def test_what_cannot_be_keyed_is_told_in_words(desk, body, said):
    batch = await opened(desk)

    answer = await desk.client.post(f"{batch}/entries", json=body)

    assert 422 == answer.status_code
    assert said in answer.text
