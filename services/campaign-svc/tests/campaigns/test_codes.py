"""Response codes: mistakes are noticed."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from campaign_svc.campaigns.codes import draw_code
from campaign_svc.campaigns.model import standing
from campaign_svc.campaigns.routing import cell_of
from campaign_svc.campaigns.schemas import PieceState
from kantis_contracts.codes import ALPHABET, check_character, is_sound, normal, slips_of
from kantis_contracts.values import ResponseCode

characters = st.sampled_from(ALPHABET)
codes = st.text(characters, min_size=9, max_size=9).map(lambda data: data + check_character(data))


@given(codes, st.integers(0, 9), characters)
def test_every_single_wrong_character_is_found(code, place, other):
    wrong = code[:place] + other + code[place + 1 :]

    assert is_sound(code)
    assert is_sound(wrong) == (wrong == code)


@given(codes, st.integers(0, 9), st.integers(0, 9))
def test_every_swap_of_two_characters_is_found_adjacent_or_not(code, one, other):
    letters = list(code)
    letters[one], letters[other] = letters[other], letters[one]
    wrong = "".join(letters)

    assert is_sound(wrong) == (wrong == code)


@given(codes, st.integers(0, 9), st.integers(0, 9), characters)
def test_the_code_that_was_meant_is_among_those_that_a_slip_may_have_made(code, one, two, other):
    letters = list(code)
    letters[one], letters[two] = letters[two], letters[one]
    swapped, mistaken = "".join(letters), code[:one] + other + code[one + 1 :]

    for slip in {swapped, mistaken} - {code}:
        assert code in slips_of(slip)


@given(codes)
def test_a_code_is_understood_as_people_key_it(code):
    keyed = f"{code[:5]}-{code[5:]} ".lower().replace("0", "o").replace("1", "l")

    assert is_sound(keyed)
    assert code == normal(keyed)


def test_what_is_no_code_is_not_sound():
    assert not any(is_sound(text) for text in ("", "ABC", "U" * 10, "0" * 11, "ÆØÅ4567890"))


def test_drawn_codes_are_sound_fit_the_contract_and_do_not_repeat():
    drawn = {draw_code() for _ in range(2_000)}

    assert 2_000 == len(drawn)
    assert all(is_sound(code) for code in drawn)
    assert all(TypeAdapter(ResponseCode).validate_python(code) for code in drawn)


@given(st.uuids(), st.lists(st.uuids(), min_size=1, max_size=30, unique=True), st.integers(1, 99))
def test_a_person_s_cell_is_the_same_at_every_delivery_and_one_of_the_campaign_s(
    launch, persons, share
):
    shares = [(launch, share), (persons[0], 100 - share)]

    cells = [cell_of(launch, person, shares) for person in persons]

    assert cells == [cell_of(launch, person, shares) for person in persons]
    assert set(cells) <= {launch, persons[0]}


OURS = {PieceState.WAITING, PieceState.RELEASED}
"""What a piece is until somebody says what became of it."""
states = st.sampled_from(PieceState)
moments = st.datetimes(min_value=datetime.fromisoformat("2000-01-01"))


@given(st.lists(st.tuples(states.filter(lambda s: s not in OURS), moments), max_size=8))
def test_what_is_said_of_a_piece_ends_the_same_in_any_order_and_certainty_beats_doubt(said):
    end = max(said, key=lambda one: standing(*one), default=None)

    assert end == max(reversed(said), key=lambda one: standing(*one), default=None)
    if any(state != PieceState.IN_DOUBT for state, _ in said):
        assert end[0] != PieceState.IN_DOUBT
