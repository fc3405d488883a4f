"""Which channel reaches whom, and who comes first when there is too little."""

from uuid import UUID

import pytest

from campaign_svc.campaigns.routing import (
    BUDGET,
    CAPACITY,
    HOLD_OUT,
    NO_CHANNEL,
    CellPlan,
    Placing,
    Way,
    choose,
    expect,
    ration,
)
from kantis_contracts.contacts import Route
from kantis_contracts.values import Channel

MAIL, TEXT, PAPER = (
    Way(Channel.EMAIL, UUID(int=1), 10),
    Way(Channel.SMS, UUID(int=2), 50),
    Way(Channel.LETTER, UUID(int=3), 1_500),
)
WAYS = (MAIL, TEXT, PAPER)
CELL = CellPlan(UUID(int=9), 100, WAYS)


@pytest.mark.parametrize(
    ("reached", "wished", "chosen", "is_wished", "missed"),
    [
        (("email", "sms", "letter"), (), MAIL, False, {}),
        (("sms", "letter"), (), TEXT, False, {"email": "no_consent"}),
        # What the person likes best comes before the cell's order, as long as the cell speaks there.
        (("email", "letter"), ("letter", "email"), PAPER, True, {}),
        (("email", "letter"), ("phone",), MAIL, False, {}),
        # What is liked and does not reach the person is passed over, and says so.
        (("letter",), ("sms",), PAPER, False, {"sms": "no_consent", "email": "no_consent"}),
        (("phone",), (), None, False, {}),
    ],
)
def test_what_a_person_likes_comes_before_the_cells_order_and_only_what_reaches_them(
    reached, wished, chosen, is_wished, missed
):
    others = [channel for channel in Channel if channel not in reached]
    route = Route(
        reached=reached, wished=wished, missed=dict.fromkeys(others, "no_consent"), worth=7
    )

    choice = choose(WAYS, route)

    assert chosen == (choice.way if choice else None)
    if choice:
        assert (is_wished, missed) == (choice.is_wished, dict(choice.missed))


def test_a_person_is_placed_the_same_at_every_delivery_and_the_held_out_are_as_many_as_said():
    people = [UUID(int=number) for number in range(4_000)]
    routes = [Route(reached=("email",), worth=3), Route(missed={"email": "refused"})]

    def placed():
        placing = Placing(UUID(int=5), [CELL], routes, hold_out_pct=25, experiment_pct=40)
        return [placing.place(one, number % 2) for number, one in enumerate(people)]

    first = placed()

    assert first == placed()
    reached, unreached = first[::2], first[1::2]
    assert {NO_CHANNEL} == {one.reason for one in unreached}
    assert {"email": "refused"} == unreached[0].told["missed"]
    held = [one for one in reached if one.reason == HOLD_OUT]
    assert 420 < len(held) < 580
    in_test = [one for one in reached if not one.reason and not one.is_reserve]
    assert 0.34 < len(in_test) / (len(reached) - len(held)) < 0.46


def test_when_the_money_is_short_the_most_valuable_get_it_and_the_rest_is_counted():
    groups = [
        (Route(reached=("email",), worth=60), 100),
        (Route(reached=("letter",), worth=64), 10),
        (Route(reached=("email",), worth=0), 500),
        (Route(reached=("phone",), worth=65), 5),
    ]
    wanted = expect(groups, [CELL])

    whole = ration(wanted.kept, capacity=None, budget=None)
    short = ration(wanted.kept, capacity=None, budget=15_500)
    full = ration(wanted.kept, capacity=60, budget=1_000_000)

    assert {NO_CHANNEL: 5} == wanted.left_out
    assert ({}, 610) == (whole.left_out, sum(one.pieces for one in whole.kept))
    # 15,000 for the letters to the most valuable, 500 for fifty mails; who never bought comes last.
    assert {BUDGET: 550} == short.left_out
    assert {64: 10, 60: 50} == {one.worth: one.pieces for one in short.kept if one.pieces}
    assert {CAPACITY: 550} == full.left_out


def test_a_hold_out_is_taken_from_each_cell_and_counted():
    halves = [CellPlan(UUID(int=n), 50, (MAIL,)) for n in (1, 2)]

    found = expect([(Route(reached=("email",)), 1_000)], halves, hold_out_pct=10)

    assert {HOLD_OUT: 100} == found.left_out
    assert [450, 450] == [one.pieces for one in found.kept]
