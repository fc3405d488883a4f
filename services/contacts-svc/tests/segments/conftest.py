"""What SQL finds is compared with what the words mean, for trees of whatever clauses."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import select

from contacts_svc.segments import compile as sql
from contacts_svc.segments import conditions as c
from contacts_svc.segments import queries
from kantis_kit.tx import read

CONDITION = TypeAdapter(c.Condition)


def trees(leaf, *, max_leaves):
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(
                lambda op, of: {"op": op, "of": of},
                st.sampled_from(["all", "any"]),
                st.lists(inner, min_size=1, max_size=3),
            ),
            st.builds(lambda of: {"op": "not", "of": of}, inner),
        ),
        max_leaves=max_leaves,
    )


def holds(node, one, meaning):
    """Say by plain Python whether a condition holds; `meaning(node, one)` says it of a single clause."""
    match node:
        case c.All():
            return all(holds(part, one, meaning) for part in node.of)
        case c.AnyOf():
            return any(holds(part, one, meaning) for part in node.of)
        case c.Not():
            return not holds(node.of, one, meaning)
        case _:
            return meaning(node, one)


async def find(scope, condition, *, now):
    """Find people by both forms of the SQL, and see that their facts and next changes can be asked for."""
    async with read(scope) as tx:
        resolved = await queries.resolve(tx, condition)
        found = set(await tx.scalars(sql.members(resolved, now=now)))
        each = select(sql.person.c.id).where(sql.clause(resolved, now=now))
        assert found == set(await tx.scalars(each))
        flip = sql.next_flip(resolved, now=now)
        told = select(sql.facts_of(resolved, now=now), *([] if flip is None else [flip]))
        for row in await tx.execute(told.select_from(sql.person)):
            assert isinstance(row[0], dict)
            assert flip is None or row[1] is None or row[1] > now
        return found


@pytest.fixture
def assert_sql_means_the_words():
    """Compare for many trees of these clauses whom SQL finds with those for whom `meaning` says that they hold."""

    async def compare(rig, people, leaf, meaning, *, now, examples, max_leaves=5):
        loop = asyncio.get_running_loop()

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        )
        @given(trees(leaf, max_leaves=max_leaves))
        def check(raw):
            condition = CONDITION.validate_python(raw)
            finding = find(rig.service.scope, condition, now=now)
            found = asyncio.run_coroutine_threadsafe(finding, loop).result()
            assert {one["id"] for one in people if holds(condition, one, meaning)} == found
            assert c.describe(condition)

        await asyncio.to_thread(check)

    return compare
