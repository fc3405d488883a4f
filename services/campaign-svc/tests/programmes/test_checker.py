"""The checker: what cannot run is refused, with the place and the cure; what is delivered with the product can run."""

import pytest
from pydantic import ValidationError

from campaign_svc.programmes.checker import check
from campaign_svc.programmes.schemas.api import ReadyMadeIn
from campaign_svc.programmes.schemas.conditions import Asked
from campaign_svc.programmes.schemas.graph import Graph
from campaign_svc.programmes.usecases.ready import filled, ready_made
from kantis_kit.ids import new_id

SAY = {"ways": [{"channel": "email", "template_id": str(new_id())}]}
MESSAGE = {"kind": "message", "say": SAY}
CALL = {"kind": "do", "action": {"kind": "call_list", "template_id": str(new_id())}}
SEGMENT = {"op": "segment", "segment_id": str(new_id())}


def found(steps, *, start="a", trigger=None, **more):
    graph = {"trigger": trigger or {"on": "hand"}, "start": start, "steps": steps, **more}
    return [(one.code, one.field) for one in check(Graph.model_validate(graph))]


def test_a_way_that_leads_to_no_step_is_a_dead_end_wherever_it_is_written():
    steps = {
        "a": {"kind": "branch", "cases": [{"when": SEGMENT, "next": "gone"}], "otherwise": "b"},
        "b": {"kind": "ask", "question": "q", "say": SAY, "answers": {"yes": "lost"}, "answered": "a",
              "within_days": 3, "timed_out": "a"},
    }  # fmt: skip

    assert [("dead_end", "steps.a.cases.0.next"), ("dead_end", "steps.b.answers.yes")] == found(
        steps
    )
    assert [("dead_end", "start")] == found({"a": {"kind": "end"}}, start="b")


def test_a_step_that_nobody_comes_to_is_found():
    steps = {"a": {"kind": "end"}, "b": {"kind": "end"}}

    assert [("unreachable", "steps.b")] == found(steps)


@pytest.mark.parametrize(
    ("between", "codes"),
    [
        pytest.param({**MESSAGE, "next": "round"}, ["endless_loop"], id="nothing"),
        pytest.param({"kind": "wait", "hours": 1, "next": "round"}, [], id="a wait"),
        pytest.param(
            {"kind": "wait_for", "event": "x", "within_days": 1, "next": "round", "timed_out": "round"},
            [],
            id="an event",
        ),
        # What has been heard once has been heard ever after, and a date that has passed stays passed.
        pytest.param(
            {"kind": "wait_for", "event": "x", "already": True, "within_days": 1, "next": "round",
             "timed_out": "round"},
            ["endless_loop"],
            id="an event that counts from before",
        ),
        pytest.param(
            {"kind": "wait_until", "date": "d", "next": "round", "unknown": "round"},
            ["endless_loop"],
            id="a date",
        ),
    ],
)  # fmt: skip
def test_a_circle_needs_a_wait_in_which_time_passes(between, codes):
    steps = {"a": {**MESSAGE, "next": "b"}, "b": between, "round": {"kind": "loop", "to": "a"}}

    assert codes == [code for code, _ in found(steps)]


def test_a_circle_is_told_step_by_step():
    steps = {"a": {**MESSAGE, "next": "b"}, "b": {**MESSAGE, "next": "a"}}
    graph = Graph.model_validate({"trigger": {"on": "hand"}, "start": "a", "steps": steps})

    (finding,) = check(graph)

    assert finding.message.startswith("a → b → a goes round for ever without a wait.")


def test_what_can_never_come_true_is_found():
    end = {"kind": "end"}
    offer = {"a": {"kind": "offer", "say": SAY, "next": "b"}, "b": end}
    no = {"a": {"kind": "objection", "reasons": {"price": "b"}, "otherwise": "b"}, "b": end}

    assert [("no_product", "steps.a.product_id")] == found(offer)
    assert [("no_objection", "steps.a")] == found(no)
    assert [("key_without_source", "key")] == found({"a": end}, trigger={"on": "form"}, key="order")


@pytest.mark.parametrize(
    ("step", "trigger", "key", "message_class", "codes"),
    [
        pytest.param(MESSAGE, "form", "person", "transactional", [], id="asked for"),
        pytest.param(MESSAGE, "hand", "order", "transactional", [], id="of an order"),
        pytest.param(MESSAGE, "hand", "person", "service", [], id="a service"),
        pytest.param(MESSAGE, "hand", "person", "transactional", ["class_not_allowed"], id="nothing asked for"),
        pytest.param(CALL, "hand", "person", "transactional", ["class_not_allowed"], id="a call"),
        pytest.param(
            {"kind": "content", "content": "newsletter", "title": "T", "say": SAY}, "form", "person", "service",
            ["class_not_allowed"], id="a newsletter",
        ),
    ],
)  # fmt: skip
def test_what_needs_no_permission_is_told_where_somebody_asked_for_it_and_never_sells(
    step, trigger, key, message_class, codes
):
    said = {"message_class": message_class, "class_reason": "The order has left"}
    place = "action" if "action" in step else "say"
    steps = {"a": {**step, place: step[place] | said, "next": "b"}, "b": {"kind": "end"}}
    told = found(steps, trigger={"on": trigger}, key=key)

    assert [(code, f"steps.a.{place}.message_class") for code in codes] == told


@pytest.mark.parametrize("key", sorted(ready_made()))
def test_a_ready_made_programme_can_run_once_it_is_filled_in(key):
    fill = {name: new_id() for name in ready_made()[key].asks_for}

    assert [] == check(filled(key, ReadyMadeIn(fill=fill)).graph)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"op": "orders", "more_than": 10**30}, id="a number too long"),
        pytest.param({"op": "orders", "more_than": float("nan")}, id="no number"),
        pytest.param({"op": "x" * 30_000}, id="too long"),
    ],
)
def test_a_condition_that_cannot_travel_to_the_register_is_refused(wrong):
    with pytest.raises(ValidationError):
        Asked.model_validate({"op": "register", "condition": wrong})


def test_the_same_condition_is_the_same_segment_however_it_is_written():
    first, second, other = (
        Asked.model_validate({"op": "register", "condition": one}).segment_id
        for one in ({"op": "a", "n": 1}, {"n": 1, "op": "a"}, {"op": "a", "n": 2})
    )

    assert first == second != other
