"""A copy of the facts follows them: whatever fails, comes late or comes twice."""

import subprocess
import sys
from datetime import UTC, date, datetime

import asyncpg
import pytest
from pydantic import ValidationError

from analytics_svc.facts.model import Fact, Mark
from analytics_svc.facts.usecases import record
from analytics_svc.main import SPEC
from analytics_svc.questions import jobs
from analytics_svc.questions.errors import StoreAway
from analytics_svc.questions.schemas import Question
from analytics_svc.questions.store import FactStore
from analytics_svc.questions.usecases import agree, copy_some
from analytics_svc.settings import AnalyticsSettings
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write

START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
LEADS = Question(measures=["leads"], since=date(2026, 1, 1), until=date(2026, 12, 31))


@pytest.fixture
async def copied(open_house):
    return await open_house("clickhouse")


async def lead(rig, count=1):
    async with write(rig.service.scope, actor="test") as tx:
        await record(tx, [Fact("lead", new_id(), label="form", marks={"seen": Mark(0, START)}) for _ in range(count)])  # fmt: skip


async def leads(rig):
    async with read(rig.service.scope) as tx:
        lines = await rig.service.scope.extras[FactStore].ask(tx, LEADS)
    return sum(line.value for line in lines)


async def news(rig):
    pool = await rig.service.database.pool()
    return await pool.fetchval("SELECT count(*) FROM fact_news")


async def test_what_was_there_before_is_copied_and_then_only_what_is_new(copied, follow):
    await lead(copied, 120)

    assert 120 == await follow(copied)
    assert 0 == await follow(copied)
    await lead(copied, 3)
    assert 3 == await follow(copied)
    assert 123 == await leads(copied)


async def test_a_batch_that_fails_is_given_again(copied, follow, monkeypatch):
    await follow(copied)
    await lead(copied, 2)
    store, scope = copied.service.scope.extras[FactStore], copied.service.scope
    take = store.take

    async def take_and_lose_the_answer(lines):
        await take(lines)
        raise StoreAway

    monkeypatch.setattr(store, "take", take_and_lose_the_answer)
    with pytest.raises(StoreAway):
        async with write(scope, actor="test") as tx:
            await copy_some(tx, store)
    assert 2 == await news(copied)
    monkeypatch.setattr(store, "take", take)

    assert 2 == await follow(copied)
    assert 2 == await leads(copied)


async def test_a_batch_that_comes_after_a_later_one_changes_nothing(copied, follow, monkeypatch):
    await lead(copied)
    store, batches = copied.service.scope.extras[FactStore], []
    take = store.take

    async def remember(lines):
        batches.append(lines)
        await take(lines)

    monkeypatch.setattr(store, "take", remember)
    await follow(copied)
    pool = await copied.service.database.pool()
    await pool.execute("UPDATE fact SET marks = '{}'")
    await follow(copied)
    await take(batches[0])

    assert 2 == len(batches)
    assert 0 == await leads(copied)


async def test_a_store_that_is_not_the_copy_is_filled_anew(copied, follow):
    await lead(copied, 5)
    await follow(copied)
    store = copied.service.scope.extras[FactStore]
    await store.begin(new_id())

    assert 0 == await leads(copied)
    assert 5 == await follow(copied)
    assert 5 == await leads(copied)


async def test_a_database_that_was_set_back_fills_the_store_anew(copied, follow):
    await lead(copied, 5)
    await follow(copied)
    pool = await copied.service.database.pool()
    await pool.execute("DELETE FROM fact WHERE key = (SELECT key FROM fact LIMIT 1)")
    owner = await asyncpg.connect(copied.service.settings.postgres_owner_dsn.get_secret_value())
    await owner.execute("SELECT setval('fact_copy_version', 1, false)")
    await owner.close()

    assert 4 == await follow(copied)
    assert 4 == await leads(copied)


async def test_only_one_process_copies_at_a_time(copied, follow):
    await follow(copied)
    await lead(copied)
    store, scope = copied.service.scope.extras[FactStore], copied.service.scope

    async with write(scope, actor="one") as one:
        assert not await agree(one, store)
        async with write(scope, actor="other") as other:
            assert 0 == await copy_some(other, store)
    assert 1 == await news(copied)


async def test_who_has_no_copy_writes_no_news_and_ends_the_copy_of_before(open_house):
    rig = await open_house("postgresql")
    await lead(rig)
    assert 0 == await news(rig)
    pool = await rig.service.database.pool()
    await pool.execute("INSERT INTO fact_copy (id) VALUES ($1)", new_id())
    await lead(rig)
    assert 1 == await news(rig)

    await jobs.copy_facts(rig.service)

    await lead(rig)
    assert 0 == await news(rig)


async def test_a_store_that_does_not_answer_is_told_as_such(rig_for):
    given = {"fact_store": "clickhouse", "clickhouse_dsn": "http://127.0.0.1:9"}
    rig = await rig_for(SPEC, start=False, settings={"analytics": given})

    with pytest.raises(StoreAway, match="ClickHouse"):
        await rig.service.scope.extras[FactStore].standing()


async def test_a_copy_that_is_not_full_answers_no_question(copied, follow):
    asked = {"measures": "leads", "since": "2026-01-01", "until": "2026-12-31"}
    await lead(copied)
    async with copied.client() as client:
        early = await client.get("/v1/reports/questions", params=asked)
        await follow(copied)
        await lead(copied)
        answer = await client.get("/v1/reports/questions", params=asked)

    assert (503, "fact-store-filling") == (early.status_code, early.json()["type"].rpartition(":")[2])  # fmt: skip
    assert ("clickhouse", 1) == (answer.json()["store"], answer.json()["waiting"])


def test_who_chooses_the_store_says_where_it_is():
    with pytest.raises(ValidationError, match="CLICKHOUSE_DSN"):
        AnalyticsSettings(fact_store="clickhouse")
    with pytest.raises(ValidationError, match="clickhouse_database"):
        AnalyticsSettings(clickhouse_database="x; DROP DATABASE y")


def test_who_has_not_chosen_the_store_does_not_load_its_client():
    code = "import sys, analytics_svc.main; print('clickhouse_connect' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == ran.stdout.strip()
