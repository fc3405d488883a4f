"""Facts: counted once, whatever the order; a rebuild gives the same numbers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from analytics_svc.facts.model import Fact, Mark, difference, moves, total_moves

CAMPAIGN, CELL = UUID(int=1), UUID(int=2)
START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)

marks = st.builds(
    Mark,
    st.integers(0, 2),
    st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(-1000, 100_000),
)
names = st.sampled_from(
    ["released", "accepted", "failed", "suppressed", "expired", "in_doubt", "placed", "paid", "cancelled", "seen", "booked"]
)  # fmt: skip
facts = st.builds(
    Fact,
    st.sampled_from(["piece", "order", "payment", "click", "response", "lead"]),
    st.integers(0, 2).map(lambda number: UUID(int=number)),
    st.sampled_from([None, CAMPAIGN]),
    st.sampled_from([None, CELL]),
    st.sampled_from([None, UUID(int=9)]),
    currency=st.sampled_from(["", "NOK", "SEK"]),
    marks=st.dictionaries(names, marks, max_size=4),
)


@given(st.lists(facts, max_size=12), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_same_numbers_as_a_rebuild(accounts, random):
    shuffled = [*accounts, *accounts]
    random.shuffle(shuffled)

    def play(order):
        held, tally = {}, total_moves([])
        for fact in order:
            key = (fact.kind, fact.key)
            before = held.get(key, Fact(fact.kind, fact.key))
            held[key] = before.merge(fact)
            tally.update(difference(before, held[key]))
        return held, {where: value for where, value in tally.items() if value}

    once, counted = play(accounts)
    again, counted_again = play(shuffled)

    assert once == again
    assert counted == counted_again
    rebuilt = total_moves(once.values())
    assert counted == {where: value for where, value in rebuilt.items() if value}


def piece(**given_marks):
    return Fact(
        "piece", UUID(int=3), CAMPAIGN, CELL, currency="NOK",
        marks={name: Mark(0, at, amount) for name, (at, amount) in given_marks.items()},
    )  # fmt: skip


def counted(fact):
    return {measure: value for (*_, measure, _), value in moves(fact).items()}


def test_a_piece_in_doubt_that_turns_out_accepted_moves_from_doubt_to_sent():
    doubt = piece(released=(START, 50), in_doubt=(START, 0))
    known = doubt.merge(piece(accepted=(START, 0)))

    assert {"planned": 1, "in_doubt": 1, "cost_minor": 50} == counted(doubt)
    assert {"planned": 1, "sent": 1, "delivered": 1, "cost_minor": 50} == counted(known)
    change = {where[3]: value for where, value in difference(doubt, known).items() if value}
    assert {"in_doubt": -1, "sent": 1, "delivered": 1} == change


def test_a_piece_that_came_back_was_sent_and_not_delivered():
    back = piece(accepted=(START, 0), failed=(START + timedelta(hours=1), 0), released=(START, 50))

    assert {"planned": 1, "sent": 1, "failed": 1, "cost_minor": 50} == counted(back)


def test_a_suppressed_piece_costs_nothing():
    kept = piece(released=(START, 50), suppressed=(START, 0))

    assert {"planned": 1, "suppressed": 1} == counted(kept)


def test_what_belongs_to_no_campaign_counts_for_none():
    assert {} == counted(Fact("order", UUID(int=3), marks={"placed": Mark(1, START, 100)}))


def test_an_order_that_was_called_off_counts_nothing_whichever_is_told_first():
    placed = Fact("order", UUID(int=3), CAMPAIGN, CELL, marks={"placed": Mark(1, START, 100)})
    cancelled = Fact("order", UUID(int=3), CAMPAIGN, CELL, marks={"cancelled": Mark(2, START, 100)})

    assert {"ordered": 1, "revenue_minor": 100} == counted(placed)
    assert {} == counted(placed.merge(cancelled)) == counted(cancelled.merge(placed))
