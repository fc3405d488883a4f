"""Rules that trigger themselves or one another are found; a brake makes a circle harmless."""

import pytest

from campaign_svc.actions.schemas import ACTION
from campaign_svc.rules.circles import Link, find_circle, named_in, reads_of, writes_of
from kantis_kit.ids import new_id

LIST = str(new_id())
TAG = ACTION.validate_python({"kind": "tag", "list_segment_id": LIST})
TASK = ACTION.validate_python({"kind": "task", "title": "Ring"})


def link(name, writes=(), reads=(), *, has_brake=False):
    return Link(new_id(), name, frozenset(writes), frozenset(reads), has_brake)


def test_what_a_condition_reads_is_found_however_deep_it_stands():
    condition = {
        "op": "all",
        "of": [
            {"op": "not", "of": {"op": "on_list", "list_id": LIST}},
            {
                "op": "any",
                "of": [{"op": "messages", "value": 3}, {"op": "country", "is_in": ["NO"]}],
            },
        ],
    }

    assert {f"list {LIST}", "messages"} == reads_of(*named_in(condition))
    assert {f"list {LIST}"} == writes_of(TAG)
    assert frozenset() == writes_of(TASK)


@pytest.mark.parametrize(
    ("new", "others", "expected"),
    [
        (link("a", ["x"], ["x"]), [], ["a"]),
        (link("a", ["x"], ["y"]), [], []),
        (link("a", ["x"], ["y"]), [link("b", ["y"], ["x"])], ["a", "b"]),
        (
            link("a", ["x"], ["z"]),
            [link("b", ["y"], ["x"]), link("c", ["z"], ["y"])],
            ["a", "b", "c"],
        ),
        (link("a", ["x"], ["y"]), [link("b", ["y"], ["x"], has_brake=True)], []),
        (link("a", ["x"], ["x"], has_brake=True), [], []),
    ],
    ids=["itself", "no_circle", "over_another", "over_two", "braked_on_the_way", "braked"],
)
def test_a_circle_is_named_by_its_way(new, others, expected):
    assert expected == find_circle(new, others)
