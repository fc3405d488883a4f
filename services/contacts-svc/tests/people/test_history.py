"""The history keeps what came from nothing by itself, and tells it in full."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.people.history import in_full, shortened

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.text(max_size=3),
    st.lists(st.text(max_size=2), max_size=3),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
)
NAMES = st.sampled_from(
    ["city", "email", "custom.boats", "do_not_contact", "link.buyer.not_before"]
)


@given(st.dictionaries(NAMES, st.tuples(VALUES, VALUES)))
def test_what_was_changed_is_told_as_it_was(told):
    kept = orjson.loads(orjson.dumps(shortened(told)))

    assert {name: list(pair) for name, pair in told.items()} == in_full(kept)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"city": ["", "Oslo"]}, {"city": "Oslo"}),
        ({"city": ["Moss", "Oslo"]}, {"city": ["Moss", "Oslo"]}),
        ({"city": ["Moss", ""]}, {"city": ["Moss", ""]}),
        ({"custom.boats": [None, 2]}, {"custom.boats": 2}),
        ({"custom.boats": ["", 2]}, {"custom.boats": ["", 2]}),
        ({"custom.boats": [None, ["sail", "row"]]}, {"custom.boats": [None, ["sail", "row"]]}),
    ],
)
def test_a_value_is_kept_alone_when_there_was_nothing_before(told, kept):
    assert kept == shortened(told)
