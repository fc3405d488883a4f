"""In a drawing each step stands below every step that leads to it, and no way runs through a step."""

from hypothesis import given
from hypothesis import strategies as st

from campaign_svc.programmes.layout import lay_out

NAMES = "abcdefgh"
GRAPHS = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(NAMES), max_size=3, unique=True) for name in NAMES}
)


def reached(leads, start="a"):
    found, waiting = {start}, [start]
    while waiting:
        new = set(leads[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


@given(GRAPHS)
def test_ways_lead_downwards_and_what_leads_back_is_known(leads):
    layout = lay_out("a", leads)

    depth = {name: at for at, layer in enumerate(layout.layers) for name in layer}
    steps = reached(leads)
    all_ways = {(name, to) for name in steps for to in leads[name]}
    assert steps == set(depth) & set(NAMES)
    assert all_ways == set(layout.points) | layout.back
    assert not set(layout.points) & layout.back
    for (name, to), points in layout.points.items():
        assert list(range(depth[name] + 1, depth[to])) == [depth[one] for one in points]
        assert depth[name] < depth[to]


def test_a_way_past_a_step_has_a_point_beside_it_and_a_circle_one_way_back():
    layout = lay_out(
        "ask", {"ask": ["care", "rest"], "care": ["rest"], "rest": ["ask", "end"], "end": []}
    )

    assert ["ask"] == layout.layers[0]
    assert {"care", *layout.points["ask", "rest"]} == set(layout.layers[1])
    assert [["rest"], ["end"]] == layout.layers[2:]
    assert {("rest", "ask")} == layout.back
