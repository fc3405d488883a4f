"""T41: whatever meets whichever step from the answer to the refund, each step has its effect once and all sums hold.

What meets sagas as such stands in the tests of the kit's chassis.
"""

import asyncio
import random
from contextlib import suppress
from contextvars import ContextVar

import pytest

from kantis_contracts.orders import (
    InvoiceCreditedV1,
    InvoiceIssuedV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderReturnedV1,
    OrderShippedV1,
    PaymentBookedV1,
)
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit

HERE: ContextVar[bool] = ContextVar("here", default=False)
STEPS = ("answer", "pick", "pack", "ship", "pay", "announce", "receive")
ONCE = (
    OrderPlacedV1, OrderShippedV1, InvoiceIssuedV1, PaymentBookedV1, OrderPaidV1, OrderReturnedV1,
    InvoiceCreditedV1,
)  # fmt: skip
DRAWS = 30
"""Seeds of the full size: each draws up to three misfortunes for every step."""


@pytest.fixture(autouse=True)
def whole():
    yield
    failpoints.disarm_all()


class Walk:
    """An order on its way; each step is a call under a key of its own."""

    def __init__(self, desk):
        self.desk, self.order_id, self.return_id, self.reference = desk, "", "", ""
        self.met: set[str] = set()
        """Steps that something has met already."""

    def call(self, step):
        """Return path and body of a step."""
        order = f"/v1/orders/{self.order_id}"
        return {
            "answer": ("/v1/responses", {"code": "ABCDE2", "kind": "order"}),
            "pick": (f"{order}/pick", {}),
            "pack": (f"{order}/parcels", {}),
            "ship": (f"{order}/ship", {}),
            "pay": (
                "/v1/payments",
                {"reference": self.reference, "amount_minor": self.desk.price, "paid_on": "2026-03-09"},
            ),
            "announce": ("/v1/returns", {"order_id": self.order_id, "reason": "too small"}),
            "receive": (
                f"/v1/returns/{self.return_id}/receive",
                {"found": [{"code": "BLANKET", "quantity": 1}]},
            ),
        }[step]  # fmt: skip

    async def send(self, step, key=None):
        path, body = self.call(step)
        headers = {"Idempotency-Key": key or f"{step}-1"}
        return await self.desk.client.post(path, json=body, headers=headers)

    async def learn(self, step, answer):
        """Keep what the following steps name."""
        assert answer.is_success, f"{step}: {answer.text}"
        if step == "answer":
            self.order_id = answer.json()["order_id"]
        elif step == "ship":
            self.reference = (await self.desk.invoice(self.order_id))["reference"]
        elif step == "announce":
            self.return_id = answer.json()["return_id"]


# -- what can meet a step before it is sent for good ------------------------------------------------------------------


async def crash_before_commit(walk, step):
    await _fail_at("tx.before_commit", walk, step)


async def crash_after_commit(walk, step):
    await _fail_at("tx.after_commit", walk, step)


async def client_gives_up(walk, step):
    """The caller goes while the transaction is about to commit: whether it does is left to chance."""

    async def send():
        failpoints.on("tx.before_commit", _only_here(asyncio.current_task().cancel))
        await walk.send(step)

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
    failpoints.disarm_all()


async def sent_twice_at_once(walk, step):
    await asyncio.gather(*(walk.send(step) for _ in range(2)))


async def sent_again_under_another_key(walk, step):
    """The same wish as a new call: taken as the same thing, or refused by a rule."""
    await walk.learn(step, await walk.send(step))
    if (
        step != "pay"
    ):  # money that comes twice is a second payment, unless the bank says that it is the same
        again = await walk.send(step, key=f"{step}-2")
        assert again.status_code in (200, 409, 422), again.text


FATES = (
    crash_before_commit, crash_after_commit, client_gives_up, sent_twice_at_once, sent_again_under_another_key,
)  # fmt: skip


async def _fail_at(place, walk, step):
    def fail():
        failed.append(place)
        raise FailPointHit(place)

    failed: list[str] = []
    failpoints.on(place, _only_here(fail))
    answer = None
    with suppress(FailPointHit):
        answer = await walk.send(step)
    failpoints.disarm_all()
    # What was done before is answered as then, and has nothing to commit any more.
    assert failed or step in walk.met
    assert answer is None or answer.status_code >= 500 or not failed, answer.text


def _only_here(meet):
    """Return what happens at a place to the call that is made from here, and not to what else passes it."""
    HERE.set(True)

    def hook():
        if HERE.get():
            meet()

    return hook


async def walk_through(desk, fates_of):
    """Take every step, after what meets it; hold what is left at the end."""
    await desk.ready("ABCDE2", stock=5)
    walk = Walk(desk)
    for step in STEPS:
        for meet in fates_of(step):
            await desk.drain()
            await meet(walk, step)
            walk.met.add(step)
        await walk.learn(step, await walk.send(step))
    await desk.drain()

    product = await desk.rows("SELECT on_hand, reserved FROM product WHERE sku = 'BLANKET'")
    moved = await desk.rows("SELECT sum(quantity)::int FROM stock_movement")
    accounts = await desk.accounts()
    assert [(5, 0)] == product
    assert [(5,)] == moved
    assert 0 == accounts["receivables"] == accounts["revenue"] == accounts["vat"]
    assert (desk.price, -desk.price) == (accounts["bank"], accounts["customer_credit"])
    assert {kind.type: 1 for kind in ONCE} == {
        kind.type: len(desk.rig.items(kind)) for kind in ONCE
    }
    assert ["answered"] == [one["state"] for one in (await desk.get("/v1/responses"))["items"]]
    assert [] == await desk.rig.parked()


@pytest.mark.parametrize("meet", FATES)
async def test_every_step_survives_every_fate_and_has_its_effect_once(desk, meet):
    await walk_through(desk, lambda _step: (meet,))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(DRAWS))
async def test_every_step_survives_whatever_meets_it_one_after_the_other(desk, seed):
    rng = random.Random(seed)
    plan = {step: rng.choices(FATES, k=rng.randrange(4)) for step in STEPS}

    await walk_through(desk, plan.__getitem__)
