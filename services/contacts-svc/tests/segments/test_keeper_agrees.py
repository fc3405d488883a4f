"""The kept membership is what a count from scratch says, after any interleaving of changes, passes and clock steps."""

import asyncio
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from contacts_svc.base import table_of
from contacts_svc.facts.model import InvoiceFact, OrderFact
from contacts_svc.insights.model import Insight, InsightTerm
from contacts_svc.interactions.model import Interaction
from contacts_svc.lists import ListMember, add_to_list
from contacts_svc.main import SPEC
from contacts_svc.people.model import FIELDS, Person
from contacts_svc.permissions.model import PermissionNow, Preference
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments import compile as sql
from contacts_svc.segments import queries, usecases
from contacts_svc.segments.keeper import Keeper
from contacts_svc.segments.model import Segment, SegmentDue, SegmentMember
from contacts_svc.segments.schemas import SegmentIn
from contacts_svc.touched import Family, touch
from contacts_svc.visits.model import PageView, Visitor, VisitorPerson
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write

PEOPLE = 7
CONDITIONS = [
    {"op": "country", "is_in": ["NO"]},
    {"op": "created", "within_days": 3},
    {"op": "not", "of": {"op": "last_order", "within_days": 2}},
    {"op": "orders", "value": 2, "within_days": 4},
    {"op": "interactions", "kinds": ["complaint"], "value": 2, "within_days": 3},
    {"op": "insights", "terms": ["warmth"], "within_days": 5},
    {"op": "owes", "overdue_days": 2},
    {"op": "spared"},
    {"op": "paused"},
    {"op": "visits", "value": 2, "within_days": 3},
    {"op": "quality", "at_least": 50},
    {"op": "may_contact", "channel": "phone"},
    {
        "op": "any",
        "of": [
            {"op": "all", "of": [{"op": "created", "within_days": 5}, {"op": "spared"}]},
            {"op": "interactions", "compare": "at_most", "value": 0, "within_days": 1},
        ],
    },
]
WHO = st.integers(0, PEOPLE - 1)
HOURS = st.integers(-120, 60)
STEP = st.one_of(
    st.tuples(st.just("interaction"), WHO, HOURS),
    st.tuples(st.just("no_interactions"), WHO, st.just(0)),
    st.tuples(st.just("insight"), WHO, HOURS),
    st.tuples(st.just("order"), WHO, HOURS),
    st.tuples(st.just("invoice"), WHO, HOURS),
    st.tuples(st.just("country"), WHO, st.integers(0, 1)),
    st.tuples(st.just("spare"), WHO, st.integers(-2, 4)),
    st.tuples(st.just("pause"), WHO, st.integers(-10, 90)),
    st.tuples(st.just("list"), WHO, st.integers(0, 1)),
    st.tuples(st.just("erase"), WHO, st.integers(0, 1)),
    st.tuples(st.just("advance"), st.just(0), st.integers(1, 60)),
    st.tuples(st.just("keep"), st.just(0), st.just(0)),
    st.tuples(st.just("visit"), WHO, HOURS),
    st.tuples(st.just("score"), WHO, st.integers(0, 100)),
    st.tuples(st.just("refuse"), WHO, st.integers(0, 1)),
    st.tuples(st.just("condition"), st.integers(0, 9), st.integers(0, len(CONDITIONS) - 1)),
)


class House:
    """People, segments and what is done to them."""

    def __init__(self, rig):
        self.rig = rig
        self.scope = rig.service.scope
        self.keeper = Keeper(batch=3, newest=1, slice_size=3)
        self.people = [new_id() for _ in range(PEOPLE)]
        self.term = new_id()
        self.segments = []

    async def furnish(self):
        now = self.scope.clock.now()
        text = {name: "" for name in FIELDS if name != "custom"} | {
            "country": "NO",
            "full_name": "A",
        }
        async with write(self.scope) as tx:
            for key in self.people:
                tx.add(Person(id=key, created_at=now, updated_at=now, **text))
            tx.add(
                InsightTerm(
                    id=self.term,
                    key="warmth",
                    kind="need",
                    words={},
                    created_at=now,
                    updated_at=now,
                )
            )
            fair = await usecases.make_segment(tx, SegmentIn(name="Fair", kind="list"))
            self.segments = [fair.id]
            await tx.flush()
            for condition in CONDITIONS:
                await self.add(tx, condition)
            named = {"op": "segment", "segment_id": str(self.segments[2])}
            await self.add(tx, {"op": "not", "of": named})
            await self.add(tx, {"op": "all", "of": [named, {"op": "on_list", "list_id": fair.id}]})

    async def add(self, tx, condition):
        segment = await usecases.make_segment(tx, SegmentIn(name="S", condition=condition))
        await tx.flush()
        self.segments.append(segment.id)

    async def step(self, what, who, amount):
        if what == "advance":
            self.rig.clock.advance(timedelta(hours=amount))
            return
        async with write(self.scope) as tx:
            if what == "keep":
                await self.keeper.keep(tx)
            elif what == "condition":
                segment = await queries.lock_segment(tx, self.segments[1 + who])
                body = SegmentIn(name="S", condition=CONDITIONS[amount])
                await usecases.change_segment(tx, segment, body)
            else:
                await getattr(self, what)(tx, self.people[who], amount)

    async def interaction(self, tx, who, amount):
        at = tx.clock.now() + timedelta(hours=min(amount, 0))
        row = {"kind": "complaint", "occurred_at": at, "recorded_at": at}
        tx.add(Interaction(id=new_id(), person_id=who, **row))
        await touch(tx, [who], Family.INTERACTION)

    async def no_interactions(self, tx, who, _amount):
        table = table_of(Interaction)
        await tx.execute(delete(table).where(table.c.person_id == who))
        await touch(tx, [who], Family.INTERACTION)

    async def insight(self, tx, who, amount):
        now = tx.clock.now()
        until = now + timedelta(hours=amount) if amount > 0 else None
        said = {"said_at": now + timedelta(hours=min(amount, 0)), "until": until}
        rest = {"term_id": self.term, "strength": 3, "source": "call", "recorded_at": now}
        table = table_of(Insight)
        same = (table.c.person_id == who, table.c.said_at == said["said_at"])
        await tx.execute(delete(table).where(*same))
        tx.add(Insight(id=new_id(), person_id=who, **said, **rest))
        await touch(tx, [who], Family.INSIGHT)

    async def order(self, tx, who, amount):
        placed = tx.clock.now() + timedelta(hours=min(amount, 0))
        rest = {"version": 1, "total_minor": 1, "currency": "NOK", "placed_at": placed}
        tx.add(OrderFact(order_id=new_id(), person_id=who, **rest))
        await touch(tx, [who], Family.ORDER)

    async def invoice(self, tx, who, amount):
        due = (tx.clock.now() + timedelta(hours=amount)).date()
        rest = {"order_id": who, "currency": "NOK", "open_minor": 1, "due_on": due}
        tx.add(InvoiceFact(invoice_id=new_id(), person_id=who, **rest))
        await touch(tx, [who], Family.ORDER)

    async def set(self, tx, who, **values):
        table = table_of(Person)
        await tx.execute(update(table).where(table.c.id == who).values(**values))
        await touch(tx, [who], Family.PROFILE | Family.REACH)

    async def country(self, tx, who, amount):
        await self.set(tx, who, country=("NO", "SE")[amount])

    async def spare(self, tx, who, amount):
        await self.set(tx, who, not_before=(tx.clock.now() + timedelta(days=amount)).date())

    async def erase(self, tx, who, amount):
        name = "" if amount else "A"
        await self.set(tx, who, is_erased=bool(amount), full_name=name, not_before=None)

    async def pause(self, tx, who, amount):
        now = tx.clock.now()
        table = table_of(Preference)
        await tx.execute(delete(table).where(table.c.person_id == who))
        until = now + timedelta(hours=amount)
        tx.add(Preference(person_id=who, paused_until=until, updated_at=now))
        await touch(tx, [who], Family.PERMISSION)

    async def visit(self, tx, who, amount):
        visitor, now = new_id(), tx.clock.now()
        at = now + timedelta(hours=min(amount, 0))
        stamps = {"consented_at": at, "first_at": at, "last_at": at}
        tx.add(Visitor(id=visitor, site_key="s", consent_version="1", evidence={}, **stamps))
        tx.add(VisitorPerson(visitor_id=visitor, person_id=who, joined_by="lead", joined_at=now))
        page = {"path": "/", "title": "", "came_from": "", "campaign": "", "seen_at": at}
        tx.add(PageView(visitor_id=visitor, id=new_id(), **page))
        await touch(tx, [who], Family.VISIT)

    async def score(self, tx, who, amount):
        table = table_of(QualityScore)
        await tx.execute(delete(table).where(table.c.person_id == who))
        names = ("completeness", "validity", "reachability", "freshness", "score")
        parts = dict.fromkeys(names, amount)
        tx.add(QualityScore(person_id=who, source="", scored_at=tx.clock.now(), **parts))
        await touch(tx, [who], Family.QUALITY)

    async def refuse(self, tx, who, amount):
        table, now = table_of(PermissionNow), tx.clock.now()
        await tx.execute(delete(table).where(table.c.person_id == who))
        key = {"person_id": who, "channel": "phone", "purpose": "offers"}
        said = {"state": ("granted", "withdrawn")[amount], "legal_basis": "consent", "version": 1}
        rest = {"ledger_id": new_id(), "source": "test", "occurred_at": now}
        tx.add(PermissionNow(**key, **said, **rest))
        await touch(tx, [who], Family.PERMISSION)

    async def list(self, tx, who, amount):
        if amount:
            await add_to_list(tx, self.segments[0], [who], source="test")
            return
        table = table_of(ListMember)
        await tx.execute(delete(table).where(table.c.person_id == who))
        await touch(tx, [who], Family.LIST)

    async def settle(self):
        for _ in range(1_000):
            async with write(self.scope) as tx:
                if not await self.keeper.keep(tx):
                    return
        raise AssertionError

    async def differences(self):
        wrong = []
        now = self.scope.clock.now()
        async with read(self.scope) as tx:
            for key in self.segments:
                segment = await tx.get(Segment, key)
                condition = await queries.condition_of(tx, segment)
                counted = set(await tx.scalars(sql.members(condition, now=now)))
                table = table_of(SegmentMember)
                kept = set(
                    await tx.scalars(select(table.c.person_id).where(table.c.segment_id == key))
                )
                if counted != kept:
                    wrong.append((segment.condition, counted, kept))
            due = table_of(SegmentDue)
            wrong += list(await tx.scalars(select(due.c.due_at).where(due.c.due_at <= now)))
        return wrong

    async def live(self, steps):
        for step in steps:
            await self.step(*step)
        await self.settle()
        return await self.differences()


async def test_membership_is_what_a_count_from_scratch_says(rig_for):
    house = House(await rig_for(SPEC, start=False))
    await house.furnish()
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(st.lists(STEP, min_size=1, max_size=14))
    def check(steps):
        wrong = asyncio.run_coroutine_threadsafe(house.live(steps), loop).result()
        assert [] == wrong

    await asyncio.to_thread(check)
