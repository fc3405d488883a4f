"""Conditions over visits, leads, answers, data quality and decisions: what SQL finds is what the words mean."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from pydantic import TypeAdapter

from contacts_svc.facts.model import OrderFact
from contacts_svc.intake.model import Lead, LeadAnswer
from contacts_svc.main import SPEC
from contacts_svc.people.model import FIELDS, Person
from contacts_svc.permissions.decide import decide
from contacts_svc.permissions.gather import gather
from contacts_svc.permissions.model import LedgerEntry, PermissionNow, Preference
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments import conditions as c
from contacts_svc.visits.model import PageView, Visitor, VisitorPerson
from kantis_contracts.values import Channel, MessageClass
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONDITION = TypeAdapter(c.Condition)
CHANNELS = ("email", "letter", "phone")
CLASSES = ("marketing", "newsletter", "service")
TOPICS = (None, "boats")


def in_window(node, at):
    return (node.since is None or at >= node.since) and (
        node.within_days is None or at >= NOW - timedelta(days=node.within_days)
    )


def compare(node, number):
    return number >= node.value if node.compare == "at_least" else number <= node.value


def asked(values, value):
    return not values or value in values


def evaluate(node, one):
    """Say by plain Python whether a clause holds."""
    match node:
        case c.Quality():
            score = one["score"]
            return score is not None and node.at_least <= score <= node.at_most
        case c.MayContact():
            return one["may"][node.channel, node.message_class, node.topic]
        case _:
            return compare(node, sum(_COUNTS[type(node)](node, x) for x in one[node.op]))


_COUNTS = {
    c.Visits: lambda node, x: (
        in_window(node, x["seen_at"])
        and asked(node.sites, x["site"])
        and asked(node.campaigns, x["campaign"])
        and (not node.paths or any(x["path"].startswith(start) for start in node.paths))
    ),
    c.Leads: lambda node, x: (
        in_window(node, x["last_at"])
        and asked(node.forms, x["form_key"])
        and node.consented in (None, x["is_consented"])
    ),
    c.Answers: lambda node, x: (
        in_window(node, x["said_at"])
        and asked(node.questions, x["question"])
        and asked(node.answers, x["answer"])
        and asked(node.terms, x["term"])
    ),
}

COUNT = {
    "compare": st.sampled_from(["at_least", "at_most"]),
    "value": st.integers(0, 3),
    "within_days": st.none() | st.integers(1, 40),
}


def some(*values):
    return st.lists(st.sampled_from(values), max_size=2)


def node(op, **parts):
    return st.fixed_dictionaries({"op": st.just(op), **parts})


LEAF = st.one_of(
    node(
        "visits",
        sites=some("shop", "blog"),
        paths=some("/boats", "/100%", "/_"),
        campaigns=some("spring", ""),
        **COUNT,
    ).filter(lambda one: "" not in one["campaigns"]),
    node("leads", forms=some("autumn", "fair"), consented=st.none() | st.booleans(), **COUNT),
    node(
        "answers",
        questions=some("why", "when"),
        answers=some("price", "soon"),
        terms=some("dear"),
        **COUNT,
    ),
    node("quality", at_least=st.sampled_from([0, 40, 70]), at_most=st.sampled_from([69, 70, 100])),
    node(
        "may_contact",
        channel=st.sampled_from(CHANNELS),
        message_class=st.sampled_from(CLASSES),
        topic=st.sampled_from(TOPICS),
    ),
)


def spread(n, salt, values):
    return values[(n * 7 + salt * 5 + n // 3 * salt) % len(values)]


def make_people():
    """Return thirty people whose traces differ in every way that a condition can ask for."""
    people = []
    for n in range(30):
        ago = [NOW - timedelta(days=(n * 3 + k * 11) % 45) for k in range(5)]
        people.append(
            {
                "id": new_id(),
                "country": spread(n, 1, ["NO", "SE", "DE"]),
                "do_not_contact": n % 13 == 5,
                "said": spread(n, 2, [None, "granted", "withdrawn", "pending"]),
                "has_bought": n % 4 == 0,
                "wants_boats": spread(n, 3, [None, True, False]),
                "score": spread(n, 4, [None, 30, 69, 70, 95]),
                "visits": [
                    {
                        "seen_at": ago[k],
                        "site": spread(n, 1, ["shop", "blog"]),
                        "path": spread(n, k, ["/boats/1", "/100%/x", "/100", "/"]),
                        "campaign": spread(n, k + 1, ["spring", ""]),
                    }
                    for k in range(n % 5)
                ],
                "leads": [
                    {"last_at": ago[k], "form_key": key, "is_consented": bool((n + k) % 2)}
                    for k, key in enumerate(spread(n, 5, [(), ("autumn",), ("autumn", "fair")]))
                ],
                "answers": [
                    {
                        "said_at": ago[k],
                        "question": spread(n, k, ["why", "when"]),
                        "answer": spread(n, k + 1, ["price", "soon"]),
                        "term": spread(n, k + 2, ["dear", "late"]),
                    }
                    for k in range(n % 4)
                ],
            }
        )
    return people


async def store(tx, one, lead):
    mine = one["id"]
    text = dict.fromkeys(FIELDS, "") | {"full_name": "A", "country": one["country"]}
    tx.add(
        Person(
            id=mine,
            do_not_contact=one["do_not_contact"],
            created_at=NOW,
            updated_at=NOW,
            **{name: value for name, value in text.items() if name != "custom"},
        )
    )
    await tx.flush()
    if one["said"]:
        for purpose in ("offers", "newsletter"):
            key = {"person_id": mine, "channel": "email", "purpose": purpose}
            held = {"state": one["said"], "version": 1, "source": "test", "occurred_at": NOW}
            entry = new_id()
            tx.add(LedgerEntry(id=entry, recorded_at=NOW, **key, **held))
            tx.add(PermissionNow(ledger_id=entry, legal_basis="consent", **key, **held))
    if one["has_bought"]:
        order = {"version": 1, "total_minor": 1, "currency": "NOK", "placed_at": NOW}
        tx.add(OrderFact(order_id=new_id(), person_id=mine, **order))
    if one["wants_boats"] is not None:
        topics = {"boats": one["wants_boats"]}
        tx.add(Preference(person_id=mine, topics=topics, updated_at=NOW))
    if one["score"] is not None:
        names = ("completeness", "validity", "reachability", "freshness", "score")
        parts = dict.fromkeys(names, one["score"])
        tx.add(QualityScore(person_id=mine, source="", scored_at=NOW, **parts))
    visitor = new_id()
    site = one["visits"][0]["site"] if one["visits"] else "shop"
    stamps = {"consented_at": NOW, "first_at": NOW, "last_at": NOW}
    tx.add(Visitor(id=visitor, site_key=site, consent_version="1", evidence={}, **stamps))
    tx.add(VisitorPerson(visitor_id=visitor, person_id=mine, joined_by="lead", joined_at=NOW))
    for x in one["visits"]:
        view = {name: x[name] for name in ("seen_at", "path", "campaign")}
        tx.add(PageView(visitor_id=visitor, id=new_id(), title="", came_from="", **view))
    for x in one["leads"]:
        rest = {"fields": {}, "text_version": "", "evidence": {}, "first_at": x["last_at"]}
        form = lead[x["form_key"]]
        tx.add(Lead(id=new_id(), form_id=form, person_id=mine, language="nb", **x, **rest))
    for x in one["answers"]:
        tx.add(LeadAnswer(lead_id=new_id(), person_id=mine, is_confirmed=True, **x))


async def decisions(tx, person_id):
    found = {}
    for channel in CHANNELS:
        for message_class in CLASSES:
            for topic in TOPICS:
                key = Channel(channel), MessageClass(message_class)
                facts = await gather(tx, person_id, *key, at=NOW, topic=topic)
                found[(*key, topic)] = decide(facts).is_allowed
    return found


async def test_sql_finds_exactly_those_whose_traces_the_words_describe(
    rig_for, assert_sql_means_the_words
):
    rig = await rig_for(SPEC, start=False)
    people = make_people()
    async with write(rig.service.scope) as tx:
        forms = {key: new_id() for key in ("autumn", "fair")}
        for one in people:
            await store(tx, one, forms)
    async with read(rig.service.scope) as tx:
        for one in people:
            one["may"] = await decisions(tx, one["id"])

    assert 3 <= len({tuple(one["may"].values()) for one in people})
    await assert_sql_means_the_words(rig, people, LEAF, evaluate, now=NOW, examples=100)
