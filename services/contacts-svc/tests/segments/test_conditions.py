"""The condition language: what SQL finds is what the words mean."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.dialects import postgresql

from contacts_svc.base import table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.main import SPEC
from contacts_svc.people.model import FIELDS, Person
from contacts_svc.permissions.model import PermissionNow
from contacts_svc.segments import compile as sql
from contacts_svc.segments import conditions as c
from contacts_svc.segments.schemas import SegmentIn
from kantis_kit.ids import new_id
from kantis_kit.tx import write

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONDITION = TypeAdapter(c.Condition)
CITIES = ("Oslo", "ÅS", "Bodø", "100%", "")
CODES = ("0155", "0160", "11122", "1_2", "")
SOURCES = ("fair", "Autumn", "o'hara")


def evaluate(node, person):  # noqa: PLR0911 - one line per kind of clause
    """Say by plain Python whether a clause holds: the meaning that SQL is compared with."""
    match node:
        case c.CityIs():
            return person["city"].lower() in [city.lower() for city in node.is_in]
        case c.PostalCodeStarts():
            return any(person["postal_code"].startswith(start) for start in node.starts_with)
        case c.Created():
            at = person["created_at"]
            return (
                (node.since is None or at >= node.since)
                and (node.before is None or at < node.before)
                and (node.within_days is None or at >= NOW - timedelta(days=node.within_days))
            )
        case c.HasPermission():
            return person["permissions"].get((node.channel, node.purpose), "none") == node.state
        case c.LastOrder():
            return any(
                one["placed_at"] >= NOW - timedelta(days=node.within_days)
                for one in person["orders"]
            )
        case c.Orders():
            return evaluate_orders(node, person["orders"])
        case _:
            return person[node.op] in list(node.is_in)


def evaluate_orders(node, orders):
    counted = [
        one
        for one in orders
        if (node.currency is None or one["currency"] == node.currency)
        and (node.since is None or one["placed_at"] >= node.since)
        and (node.within_days is None or one["placed_at"] >= NOW - timedelta(days=node.within_days))
        and (not node.paid_only or one["paid_at"] is not None)
    ]
    number = len(counted) if node.measure == "count" else sum(one["total_minor"] for one in counted)
    return number >= node.value if node.compare == "at_least" else number <= node.value


def some(values):
    return st.lists(st.sampled_from([v for v in values if v]), min_size=1, max_size=3)


MOMENT = st.integers(-60, 5).map(lambda days: NOW + timedelta(days=days))
DAYS = st.integers(1, 60)
LEAF = st.one_of(
    st.builds(lambda v: {"op": "country", "is_in": v}, some(["NO", "SE", "DK"])),
    st.builds(lambda v: {"op": "language", "is_in": v}, some(["nb", "sv", "da"])),
    st.builds(lambda v: {"op": "lifecycle", "is_in": v}, some(["prospect", "lead", "active"])),
    st.builds(lambda v: {"op": "city", "is_in": v}, some([*CITIES, "oslo", "ås", "%", "_"])),
    st.builds(lambda v: {"op": "source", "is_in": v}, some([*SOURCES, "' OR 1=1 --"])),
    st.builds(
        lambda v: {"op": "postal_code", "starts_with": v}, some(["0", "01", "016", "1", "1 2"])
    ),
    st.builds(lambda a, b: {"op": "created", "since": a, "before": b}, MOMENT, MOMENT | st.none()),
    st.builds(lambda d: {"op": "created", "within_days": d}, DAYS),
    st.builds(
        lambda ch, p, s: {"op": "permission", "channel": ch, "purpose": p, "state": s},
        st.sampled_from(["email", "sms"]),
        st.sampled_from(["newsletter", "offers"]),
        st.sampled_from(["granted", "pending", "withdrawn", "none"]),
    ),
    st.builds(
        lambda m, cmp, v, since, days, paid: {
            "op": "orders",
            "measure": m,
            "compare": cmp,
            "value": v,
            "since": since,
            "within_days": days,
            "paid_only": paid,
            "currency": "NOK",
        },
        st.sampled_from(["count", "total_minor"]),
        st.sampled_from(["at_least", "at_most"]),
        st.sampled_from([0, 1, 2, 100, 250]),
        MOMENT | st.none(),
        DAYS | st.none(),
        st.booleans(),
    ),
    st.builds(lambda d: {"op": "last_order", "within_days": d}, DAYS),
)


def make_people():
    """Return forty people whose facts differ in every way that a condition can ask for."""
    people = []
    for n in range(40):
        orders = [
            {
                "placed_at": NOW - timedelta(days=(n * 7 + k * 11) % 60),
                "paid_at": NOW if (n + k) % 2 else None,
                "total_minor": 100 * (k + 1),
                "currency": "NOK" if (n + k) % 3 else "SEK",
            }
            for k in range(n % 4)
        ]
        permissions = {
            (channel, purpose): state
            for place, (channel, purpose) in enumerate(
                (ch, p) for ch in ("email", "sms") for p in ("newsletter", "offers")
            )
            if (state := ("granted", "pending", "withdrawn", None)[(n + place * (n % 3 + 1)) % 4])
        }
        people.append(
            {
                "id": new_id(),
                "country": ("NO", "SE", "DK")[n % 3],
                "language": ("nb", "sv", "da")[n // 3 % 3],
                "lifecycle": ("prospect", "lead", "active")[n // 2 % 3],
                "city": CITIES[n % 5],
                "postal_code": CODES[n // 2 % 5],
                "source": SOURCES[n % 3],
                "created_at": NOW - timedelta(days=n * 3 % 61),
                "orders": orders,
                "permissions": permissions,
            }
        )
    return people


async def store(tx, people):
    for one in people:
        fields = (
            dict.fromkeys(FIELDS, "") | {k: one[k] for k in FIELDS if k in one} | {"full_name": "A"}
        )
        await tx.execute(
            table_of(Person)
            .insert()
            .values(
                id=one["id"],
                version=1,
                is_erased=False,
                created_at=one["created_at"],
                updated_at=NOW,
                **fields,
            )
        )
        for order in one["orders"]:
            await tx.execute(
                table_of(OrderFact)
                .insert()
                .values(order_id=new_id(), person_id=one["id"], version=1, **order)
            )
        for (channel, purpose), state in one["permissions"].items():
            await tx.execute(
                table_of(PermissionNow)
                .insert()
                .values(
                    person_id=one["id"],
                    channel=channel,
                    purpose=purpose,
                    state=state,
                    version=1,
                    ledger_id=new_id(),
                    legal_basis="consent",
                    source="test",
                    occurred_at=NOW,
                )
            )


async def test_sql_finds_exactly_those_for_whom_the_words_hold(rig_for, assert_sql_means_the_words):
    rig = await rig_for(SPEC, start=False)
    people = make_people()
    async with write(rig.service.scope) as tx:
        await store(tx, people)

    await assert_sql_means_the_words(
        rig, people, LEAF, evaluate, now=NOW, examples=120, max_leaves=8
    )


def test_values_never_become_sql_text():
    evil = "x'); DROP TABLE person; --"
    condition = CONDITION.validate_python(
        {"op": "any", "of": [{"op": "city", "is_in": [evil]}, {"op": "source", "is_in": [evil]}]}
    )
    compiled = sql.members(condition, now=NOW).compile(dialect=postgresql.dialect())

    assert "DROP" not in str(compiled)
    assert evil.lower() in str(compiled.params)


def deep(levels):
    tree = {"op": "country", "is_in": ["NO"]}
    for _ in range(levels - 1):
        tree = {"op": "not", "of": tree}
    return tree


def wide(nodes):
    return {"op": "all", "of": [{"op": "country", "is_in": ["NO"]}] * (nodes - 1)}


@pytest.mark.parametrize("tree", [deep(10), wide(200)])
def test_the_largest_condition_is_taken(tree):
    assert SegmentIn(name="A", condition=tree)


@pytest.mark.parametrize(
    "tree",
    [
        deep(11),
        deep(400),
        wide(201),
        {"op": "all", "of": []},
        {"op": "regex", "is_in": ["a"]},
        {},
        [],
        "1=1",
        None,
        {"op": "country", "is_in": ["NO"], "sql": "1=1"},
        {"op": "postal_code", "starts_with": ["%"]},
        {"op": "orders", "measure": "total_minor", "value": 5},
        {"op": "created"},
        {"op": "city", "is_in": ["A\x00"]},
        {"op": "city", "is_in": ["x" * 1_000_000]},
        {"op": "not", "of": [deep(1)]},
        {"op": "last_order", "within_days": 10**12},
        {"op": "orders", "value": 10**30},
    ],
)
def test_what_is_no_condition_is_refused(tree):
    with pytest.raises(ValidationError):
        SegmentIn(name="A", condition=tree)


async def test_a_condition_too_large_is_a_clear_problem(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post("/v1/segments", json={"name": "A", "condition": deep(12)})
        kept = await client.get("/v1/segments")

    assert (422, "at most 10 levels") == (answer.status_code, answer.json()["detail"][-17:])
    assert [] == kept.json()
