"""Following up unpaid invoices: who may be asked for money, when, and what others are told."""

from datetime import timedelta

import pytest

from kantis_contracts.orders import DunningChangedV1
from kantis_kit.ids import new_id


@pytest.fixture
async def overdue(desk):
    """An invoice that was due three days ago."""
    await desk.ready("ABCDE2")
    answer = await desk.order(code="ABCDE2")
    invoice = await desk.ship(answer["order_id"])
    desk.rig.clock.advance(timedelta(days=17))
    async with desk.rig.client() as desk.client:  # the token of before has ended
        yield invoice


async def take(desk, invoice, step, **given):
    return await desk.client.post(
        f"/v1/invoices/{invoice['invoice_id']}/dunning", json={"step": step, **given}
    )


async def test_every_step_is_kept_and_told_with_where_the_case_stands(desk, overdue):
    for step in ("remind", "remind", "warn", "hand_over", "take_back", "dispute", "resume", "end"):
        desk.rig.clock.advance(timedelta(days=15 if step == "hand_over" else 1))
        await desk.drain()
        async with desk.rig.client() as desk.client:
            answer = await take(desk, overdue, step)
        assert 200 == answer.status_code, answer.text
    await desk.drain()

    told = [
        (one.version, one.state.value, one.reminders) for one in desk.rig.items(DunningChangedV1)
    ]
    async with desk.rig.client() as desk.client:
        shown = await desk.get(f"/v1/invoices/{overdue['invoice_id']}/dunning")
    assert [
        (1, "reminded", 1),
        (2, "reminded", 2),
        (3, "warned", 2),
        (4, "with_agency", 2),
        (5, "warned", 2),
        (6, "disputed", 2),
        (7, "warned", 2),
        (8, "none", 2),
    ] == sorted(set(told))
    assert ("none", 2, 8) == (shown["state"], shown["reminders"], len(shown["steps"]))


@pytest.mark.parametrize(
    ("before", "step", "words"),
    [
        ("dispute", "remind", "disputed claim is not asked for"),
        ("pause", "warn", "resume it first"),
        ("warn", "take_back", "not with_agency"),
        ("remind", "resume", "not paused or disputed"),
        ("remind", "take_back", "not with_agency"),
        ("pause", "pause", "paused already"),
    ],
)
async def test_a_step_that_does_not_begin_there_is_refused_with_what_to_do(
    desk, overdue, before, step, words
):
    await take(desk, overdue, before)

    answer = await take(desk, overdue, step)

    assert 409 == answer.status_code
    assert words in answer.json()["detail"]
    shown = await desk.get(f"/v1/invoices/{overdue['invoice_id']}/dunning")
    assert 1 == len(shown["steps"])


async def test_nobody_is_reminded_before_the_day_after_it_was_due(desk, overdue):
    early = await take(desk, overdue, "remind", taken_on=overdue["due_on"])
    future = await take(desk, overdue, "pause", taken_on="2031-01-01")

    assert (422, 422) == (early.status_code, future.status_code)
    assert overdue["due_on"] in early.json()["detail"]
    assert "future" in future.json()["detail"]


async def test_who_has_paid_is_not_reminded_and_leaves_the_list(desk, overdue):
    await take(desk, overdue, "remind")
    listed = await desk.get("/v1/dunning", state="reminded")
    await desk.pay(overdue["reference"], overdue["total_minor"])

    answer = await take(desk, overdue, "remind")
    shown = await desk.get(f"/v1/invoices/{overdue['invoice_id']}/dunning")

    assert [overdue["invoice_id"]] == [one["invoice_id"] for one in listed["items"]]
    assert (409, True) == (answer.status_code, shown["is_over"])
    assert [] == (await desk.get("/v1/dunning"))["items"]


async def test_an_invoice_that_is_not_there_has_no_dunning(desk):
    answer = await take(desk, {"invoice_id": new_id()}, "remind")

    assert (404, "urn:kantis:problem:invoice-not-found") == (
        answer.status_code,
        answer.json()["type"],
    )
