"""Conditions over interactions, insights, messages, invoices, worth, wishes, links and declared fields."""

from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import strategies as st
from pydantic import TypeAdapter

from contacts_svc.facts.model import InvoiceFact, MessageFact, OrderFact, ResponseFact
from contacts_svc.fields.model import CustomField, FieldValue
from contacts_svc.insights.model import Insight, InsightTerm
from contacts_svc.interactions.model import Interaction
from contacts_svc.main import SPEC
from contacts_svc.organisations.model import Organisation, PersonLink
from contacts_svc.people.model import FIELDS, Identifier, Person
from contacts_svc.permissions.model import Preference
from contacts_svc.segments import compile as sql
from contacts_svc.segments import conditions as c
from contacts_svc.value.model import PersonValue
from kantis_kit.ids import new_id
from kantis_kit.tx import write

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
CONDITION = TypeAdapter(c.Condition)
FIRM, OTHER = new_id(), new_id()
TERMS = {"price": "objection", "warmth": "need", "time": "barrier"}


def in_window(node, at):
    if at is None:
        return node.since is None and node.within_days is None
    return (node.since is None or at >= node.since) and (
        node.within_days is None or at >= NOW - timedelta(days=node.within_days)
    )


def compare(node, number):
    return number >= node.value if node.compare == "at_least" else number <= node.value


def asked(values, value):
    return not values or value in values


def day(n):
    return TODAY + timedelta(days=n)


def evaluate(node, one):
    match node:
        case c.PostalCodeBetween():
            code = one["postal_code"]
            return len(code) == len(node.first) and node.first <= code <= node.last
        case _:
            return _EVALUATE[type(node)](node, one)


def interactions(node, one):
    return compare(
        node,
        sum(
            in_window(node, x["occurred_at"])
            and asked(node.kinds, x["kind"])
            and (node.direction is None or x["direction"] == node.direction)
            and asked(node.topics, x["topic"])
            for x in one["interactions"]
        ),
    )


def insights(node, one):
    return compare(
        node,
        sum(
            in_window(node, x["said_at"])
            and asked(node.terms, x["key"])
            and asked(node.kinds, TERMS[x["key"]])
            and x["strength"] >= node.min_strength
            and (node.ever or x["until"] is None or x["until"] > NOW)
            for x in one["insights"]
        ),
    )


def messages(node, one):
    def was(x):
        return {
            "sent": True,
            "opened": x["opened_at"] or x["clicked_at"],
            "clicked": x["clicked_at"],
        }[node.measure]

    arrived = [
        x
        for x in one["messages"]
        if (x["state"] == "accepted" or x["opened_at"] or x["clicked_at"])
        and (node.channel is None or x["channel"] == node.channel)
    ]
    arrived.sort(key=lambda x: x["at"], reverse=True)
    if node.of_last:
        arrived = arrived[: node.of_last]
    return compare(node, sum(bool(in_window(node, x["at"]) and was(x)) for x in arrived))


def owes(node, one):
    chosen = [
        x
        for x in one["invoices"]
        if (x["open_minor"] or 0) > 0
        and (node.currency is None or x["currency"] == node.currency)
        and in_window(node, x["issued_at"])
        and (
            node.overdue_days is None
            or (x["due_on"] and x["due_on"] + timedelta(node.overdue_days) <= TODAY)
        )
    ]
    count = node.measure == "count"
    return compare(node, len(chosen) if count else sum(x["open_minor"] for x in chosen))


def dunning(node, one):
    return compare(
        node,
        sum(
            x["open_minor"] != 0
            and x["dunning_state"] != "none"
            and asked(node.states, x["dunning_state"])
            and x["reminders"] >= node.min_reminders
            and in_window(node, x["dunning_at"])
            for x in one["invoices"]
        ),
    )


def orders(node, one):
    def counts(x):
        cancelled, shipped = x["cancelled_at"] is not None, x["shipped_at"] is not None
        return {
            "any": not cancelled,
            "open": not cancelled and not shipped,
            "shipped": shipped and not cancelled,
            "cancelled": cancelled,
        }[node.state]

    return compare(node, sum(counts(x) and in_window(node, x["placed_at"]) for x in one["orders"]))


def reach(node, one):
    if node.kind == "address":
        return (one["postal_code"] != "") == (node.state == "present")
    state = one["reach"].get(node.kind)
    if node.state in ("present", "missing"):
        return (state is not None) == (node.state == "present")
    return state == node.state


def value(node, one):
    worth = one["value"]
    return (
        worth is not None
        and asked(node.classes, worth["rfm_class"])
        and asked(node.tiers, worth["tier"])
        and worth["recency"] >= (node.recency_at_least or 0)
        and worth["frequency"] >= (node.frequency_at_least or 0)
        and worth["monetary"] >= (node.monetary_at_least or 0)
    )


def topic(node, one):
    said = (one["preference"] or {"topics": {}})["topics"].get(node.topic)
    return {"wanted": said is True, "refused": said is False, "none": said is None}[node.state]


def paused(_node, one):
    until = one["preference"] and one["preference"]["paused_until"]
    return bool(until and until > NOW)


def linked(node, one):
    return any(
        asked(node.organisation_ids, x["organisation_id"])
        and asked(node.roles, x["role"])
        and x["relevance"] >= node.min_relevance
        and (x["valid_from"] is None or x["valid_from"] <= TODAY)
        and (x["valid_to"] is None or x["valid_to"] >= TODAY)
        and not (
            node.contactable
            and (x["do_not_contact"] or (x["not_before"] and x["not_before"] > TODAY))
        )
        for x in one["links"]
    )


def field(node, one):
    def fits(x):
        text, number, at = x.get("text_value"), x.get("number_value"), x.get("date_value")
        return (
            x["key"] == node.key
            and (not node.is_in or text in node.is_in)
            and (node.at_least is None or (number is not None and number >= node.at_least))
            and (node.at_most is None or (number is not None and number <= node.at_most))
            and (node.since is None or (at is not None and at >= node.since))
            and (node.before is None or (at is not None and at < node.before))
            and (
                node.in_last_days is None
                or (at is not None and day(-node.in_last_days) <= at <= TODAY)
            )
            and (
                node.in_next_days is None
                or (at is not None and TODAY <= at <= day(node.in_next_days))
            )
        )

    return any(fits(x) for x in one["fields"])


_EVALUATE = {
    c.Interactions: interactions,
    c.Responses: lambda node, one: compare(
        node,
        sum(
            in_window(node, x["responded_at"])
            and asked(node.kinds, x["kind"])
            and asked(node.ways, x["way"])
            for x in one["responses"]
        ),
    ),
    c.Insights: insights,
    c.Messages: messages,
    c.Owes: owes,
    c.InDunning: dunning,
    c.Orders: orders,
    c.Reach: reach,
    c.Spared: lambda _node, one: (
        one["do_not_contact"] or (one["not_before"] is not None and one["not_before"] > TODAY)
    ),
    c.Value: value,
    c.WantsTopic: topic,
    c.Paused: paused,
    c.Linked: linked,
    c.FieldIs: field,
}

MAYBE_DAYS = st.none() | st.integers(1, 60)
COUNT = {
    "compare": st.sampled_from(["at_least", "at_most"]),
    "value": st.integers(0, 3),
    "within_days": MAYBE_DAYS,
}


def some(*values):
    return st.lists(st.sampled_from(values), max_size=2)


def node(op, **parts):
    return st.fixed_dictionaries({"op": st.just(op), **parts})


LEAF = st.one_of(
    node(
        "interactions",
        kinds=some("complaint", "call", "visit"),
        direction=st.none() | st.sampled_from(["in", "out"]),
        topics=some("price", "delay"),
        **COUNT,
    ),
    node("responses", kinds=some("inquiry", "refusal"), ways=some("mail", "phone"), **COUNT),
    node(
        "insights",
        terms=some(*TERMS),
        kinds=some(*TERMS.values()),
        min_strength=st.integers(1, 4),
        ever=st.booleans(),
        **COUNT,
    ),
    node(
        "messages",
        measure=st.sampled_from(["sent", "opened", "clicked"]),
        channel=st.none() | st.sampled_from(["email", "sms"]),
        **COUNT,
    ),
    node(
        "messages",
        measure=st.sampled_from(["opened", "clicked"]),
        of_last=st.integers(1, 5),
        compare=COUNT["compare"],
        value=COUNT["value"],
    ),
    node("owes", overdue_days=MAYBE_DAYS, **COUNT),
    node(
        "owes",
        measure=st.just("open_minor"),
        currency=st.sampled_from(["NOK", "SEK"]),
        compare=COUNT["compare"],
        value=st.sampled_from([0, 100, 250]),
    ),
    node(
        "dunning",
        states=some("reminded", "disputed"),
        min_reminders=st.integers(0, 2),
        **COUNT,
    ),
    node("orders", state=st.sampled_from(["any", "open", "shipped", "cancelled"]), **COUNT),
    node(
        "reach",
        kind=st.sampled_from(["email", "phone"]),
        state=st.sampled_from(["present", "missing", "reachable", "undeliverable", "unknown"]),
    ),
    node("reach", kind=st.just("address"), state=st.sampled_from(["present", "missing"])),
    node("spared"),
    node("paused"),
    node(
        "topic",
        topic=st.sampled_from(["boats", "x'--"]),
        state=st.sampled_from(["wanted", "refused", "none"]),
    ),
    node(
        "value",
        classes=some("champion", "lost"),
        tiers=some("gold", "silver"),
        recency_at_least=st.none() | st.integers(1, 5),
    ),
    node(
        "link",
        roles=some("buyer", "chair"),
        organisation_ids=st.sampled_from([[], [str(FIRM)], [str(OTHER)]]),
        min_relevance=st.sampled_from([0, 50, 80]),
        contactable=st.booleans(),
    ),
    node("field", key=st.sampled_from(["boat", "size", "ends", "none"])),
    node("field", key=st.just("boat"), is_in=some("sail", "motor")),
    node(
        "field",
        key=st.just("size"),
        at_least=st.none() | st.sampled_from(["2", "3.5"]),
        at_most=st.none() | st.sampled_from(["3.5", "6"]),
    ),
    node(
        "field",
        key=st.just("ends"),
        in_last_days=MAYBE_DAYS,
        in_next_days=MAYBE_DAYS,
        since=st.none() | st.just(str(day(-20))),
        before=st.none() | st.just(str(day(10))),
    ),
    st.just({"op": "postal_range", "first": "0155", "last": "0199"}),
)


def spread(n, salt, values):
    return values[(n * 7 + salt * 5 + n // 3 * salt) % len(values)]


SPANS = [
    {"valid_from": start, "valid_to": end}
    for start, end in (
        (None, None),
        (day(0), None),
        (day(1), None),
        (None, day(0)),
        (None, day(-1)),
        (day(-3), day(2)),
    )
]


def make_people():
    people = []
    for n in range(40):
        ago = [NOW - timedelta(days=(n * 3 + k * 13) % 65) for k in range(4)]
        people.append(
            {
                "id": new_id(),
                "postal_code": spread(n, 1, ["0155", "0180", "0200", "11122", ""]),
                "do_not_contact": n % 11 == 0,
                "not_before": spread(n, 2, [None, None, day(0), day(1), day(-4)]),
                "reach": {
                    kind: state
                    for kind, state in (
                        ("email", spread(n, 3, ["unknown", "reachable", "undeliverable", None])),
                        ("phone", spread(n, 4, ["reachable", None, "unknown"])),
                    )
                    if state
                },
                "interactions": [
                    {
                        "occurred_at": ago[k],
                        "kind": spread(n, k, ["complaint", "call", "visit"]),
                        "direction": spread(n, k + 1, ["in", "out", ""]),
                        "topic": spread(n, k + 2, ["price", "delay", ""]),
                    }
                    for k in range(n % 5 % 4)
                ],
                "responses": [
                    {
                        "responded_at": ago[k],
                        "kind": spread(n, k, ["inquiry", "refusal", "order"]),
                        "way": spread(n, k + 3, ["mail", "phone"]),
                    }
                    for k in range(n % 3)
                ],
                "insights": [
                    {
                        "said_at": ago[k],
                        "key": spread(n, k, list(TERMS)),
                        "strength": 1 + (n + k) % 5,
                        "until": spread(
                            n, k, [None, NOW, NOW + timedelta(hours=1), NOW - timedelta(days=1)]
                        )
                        if ago[k] < NOW - timedelta(days=1)
                        else None,
                    }
                    for k in range(n % 4)
                ],
                "messages": [
                    {
                        "at": ago[0] - timedelta(hours=k),
                        "channel": spread(n, k, ["email", "sms"]),
                        "state": spread(n, k, ["accepted", "accepted", "failed", ""]),
                        "opened_at": spread(n, k + 1, [None, NOW, None]),
                        "clicked_at": spread(n, k + 2, [None, None, NOW]),
                    }
                    for k in range(n % 7)
                ],
                "orders": [
                    {
                        "placed_at": ago[k],
                        "shipped_at": spread(n, k, [None, NOW]),
                        "cancelled_at": spread(n, k + 1, [None, None, NOW]),
                    }
                    for k in range(n % 3)
                ],
                "invoices": [
                    {
                        "issued_at": spread(n, k, [ago[k], None]),
                        "open_minor": spread(n, k, [100, 0, 250, None]),
                        "currency": spread(n, k, ["NOK", "SEK"]),
                        "due_on": spread(n, k, [None, day(-1), day(0), day(-30), day(5)]),
                        "dunning_state": spread(n, k, ["none", "reminded", "disputed"]),
                        "reminders": spread(n, k, [0, 1, 2]),
                        "dunning_at": spread(n, k, [None, ago[k], ago[k]]),
                    }
                    for k in range(n % 4)
                ],
                "value": None
                if n % 3 == 0
                else {
                    "rfm_class": spread(n, 1, ["champion", "lost", "new"]),
                    "tier": spread(n, 2, ["gold", "silver"]),
                    "recency": 1 + n % 5,
                    "frequency": 1 + n % 4,
                    "monetary": 1 + n % 3,
                },
                "preference": None
                if n % 4 == 0
                else {
                    "topics": spread(n, 1, [{}, {"boats": True}, {"boats": False}]),
                    "paused_until": spread(n, 2, [None, NOW, NOW + timedelta(days=3)]),
                },
                "links": [
                    {
                        "organisation_id": (FIRM, OTHER)[k % 2],
                        "role": spread(n, k, ["buyer", "chair"]),
                        "relevance": spread(n, k, [10, 50, 90]),
                        "do_not_contact": (n + k) % 4 == 0,
                        "not_before": spread(n, k, [None, day(1), day(0)]),
                        **spread(n, k + 1, SPANS),
                    }
                    for k in range(n % 3)
                ],
                "fields": [
                    one
                    for one in (
                        {"key": "boat", "text_value": spread(n, 1, ["sail", "motor", "row"])},
                        {"key": "size", "number_value": spread(n, 2, [1, 2, 3.5, 6, 7])},
                        {"key": "ends", "date_value": day(n * 5 % 80 - 40)},
                    )
                    if (n + len(one["key"])) % 3
                ],
            }
        )
    return people


STAMPS = {"created_at": NOW, "updated_at": NOW}


async def store_vocabulary(tx):
    terms = {key: new_id() for key in TERMS}
    for key, kind in TERMS.items():
        tx.add(InsightTerm(id=terms[key], key=key, kind=kind, words={}, **STAMPS))
    for key in (FIRM, OTHER):
        tx.add(Organisation(id=key, name="Firm", **STAMPS))
    for key, kind in (("boat", "choice"), ("size", "decimal"), ("ends", "date")):
        tx.add(CustomField(key=key, kind=kind, titles={}, rules={}, is_filtered=True, **STAMPS))
    await tx.flush()
    return terms


async def store(tx, one, terms):
    mine = one["id"]
    has_address = one["postal_code"] != ""
    text = dict.fromkeys(FIELDS, "") | {
        "full_name": "A",
        "postal_code": one["postal_code"],
        "street": "S" if has_address else "",
        "city": "C" if has_address else "",
    }
    tx.add(
        Person(
            id=mine,
            do_not_contact=one["do_not_contact"],
            not_before=one["not_before"],
            **STAMPS,
            **{name: value for name, value in text.items() if name != "custom"},
        )
    )
    await tx.flush()
    for kind, state in one["reach"].items():
        rest = {"value": f"{mine}", "as_given": "", "created_at": NOW}
        tx.add(Identifier(kind=kind, person_id=mine, reachability=state, **rest))
    links = {(x["organisation_id"], x["role"]): x for x in reversed(one["links"])}
    one["links"] = list(links.values())
    term = [{"term_id": terms[x["key"]], **x} for x in one["insights"]]
    rows = [
        (Interaction, "id", {"recorded_at": NOW}, one["interactions"]),
        (ResponseFact, "response_id", {}, one["responses"]),
        (
            Insight,
            "id",
            {"recorded_at": NOW, "source": "call"},
            [{k: v for k, v in x.items() if k != "key"} for x in term],
        ),
        (MessageFact, "message_id", {}, one["messages"]),
        (OrderFact, "order_id", {"version": 1, "total_minor": 1, "currency": "NOK"}, one["orders"]),
        (InvoiceFact, "invoice_id", {"order_id": mine}, one["invoices"]),
        (PersonLink, "id", STAMPS, one["links"]),
        (FieldValue, None, {}, one["fields"]),
        (PersonValue, None, WORTH, [one["value"]] if one["value"] else []),
        (Preference, None, {"updated_at": NOW}, [one["preference"]] if one["preference"] else []),
    ]
    for model, key, fixed, found in rows:
        for x in found:
            own = {} if key is None else {key: new_id()}
            tx.add(model(person_id=mine, **own, **fixed, **x))


WORTH = {
    "version": 1,
    "orders": 1,
    "first_order_at": NOW,
    "last_order_at": NOW,
    "currency": "NOK",
    "spent_minor": 1,
    "rules_version": 1,
    "updated_at": NOW,
}


async def test_sql_finds_exactly_those_whose_facts_the_words_describe(
    rig_for, assert_sql_means_the_words
):
    rig = await rig_for(SPEC, start=False)
    people = make_people()
    async with write(rig.service.scope) as tx:
        terms = await store_vocabulary(tx)
        for one in people:
            await store(tx, one, terms)

    await assert_sql_means_the_words(rig, people, LEAF, evaluate, now=NOW, examples=250)


def test_every_kind_of_clause_has_a_meaning():
    kinds = set(get_args(get_args(c.Condition)[0])) - {c.All, c.AnyOf, c.Not}

    assert kinds == set(sql.known_clauses()) - {c.Decided}
