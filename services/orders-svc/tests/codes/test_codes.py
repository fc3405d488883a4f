"""Response codes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantis_contracts.codes import ALPHABET, normal


@pytest.mark.parametrize("written", ["abc-de2", " ABCDE2 ", "a b c d e 2", "AB--CDE2"])
def test_case_spaces_and_hyphens_do_not_matter(written):
    assert "ABCDE2" == normal(written)


def test_letters_that_look_like_digits_are_read_as_digits():
    assert "110110" == normal("iLoIl0")


@given(code=st.text(alphabet=ALPHABET, min_size=6, max_size=16), cut=st.integers(0, 16))
def test_a_code_is_read_however_it_is_grouped_and_a_second_reading_changes_nothing(code, cut):
    written = f"{code[:cut].lower()} - {code[cut:]}"

    assert code == normal(written) == normal(normal(written))


async def test_pieces_told_of_twice_make_each_code_once_and_a_known_code_stays(desk):
    product = await desk.ready("ABCDE2")
    person, other = desk.person(), desk.person()
    first = desk.piece(person, product, *(f"A{number:05d}" for number in range(1_000)))
    await desk.rig.publish(first, copies=2)
    await desk.drain()
    await desk.rig.publish(desk.piece(other, product, "A00001"))
    await desk.drain()

    assert [(1_001,)] == await desk.rows("SELECT count(*) FROM code")
    assert [(person.person_id,)] == await desk.rows(
        "SELECT person_id FROM code WHERE response_code = 'A00001'"
    )
