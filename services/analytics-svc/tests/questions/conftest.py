"""A house whose questions are answered by one store or another."""

import importlib.util
from itertools import count

import pytest

from analytics_svc.main import SPEC
from analytics_svc.questions.store import CopyStore, FactStore
from analytics_svc.questions.usecases import agree, copy_some
from kantis_kit.tx import write

_NUMBERS = count()


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """The address of ClickHouse inside this process: it opens one folder, and each test takes a database of its own."""
    if importlib.util.find_spec("chdb") is None:
        pytest.fail("ClickHouse inside Python is not installed: make engine")
    return f"chdb://{tmp_path_factory.mktemp('clickhouse')}"


@pytest.fixture
def open_house(rig_for, request):
    async def make(store):
        given = {}
        if store == "clickhouse":
            given = {
                "fact_store": store,
                "clickhouse_dsn": request.getfixturevalue("engine"),
                "clickhouse_database": f"kantis_{next(_NUMBERS)}",
            }
        return await rig_for(SPEC, start=False, settings={"analytics": given})

    return make


@pytest.fixture(params=["postgresql", "clickhouse"])
async def house(request, open_house):
    return await open_house(request.param)


@pytest.fixture
def follow():
    """Let a copy have everything, in small batches; return how many facts it was given."""

    async def run(rig, limit=50):
        scope, given = rig.service.scope, 0
        store = scope.extras[FactStore]
        if not isinstance(store, CopyStore):
            return given
        async with write(scope, actor="test") as tx:
            await agree(tx, store)
        for _ in range(1_000):
            async with write(scope, actor="test") as tx:
                some = await copy_some(tx, store, limit=limit)
            given += some
            if not some:
                return given
        pytest.fail("the copy does not end")

    return run
