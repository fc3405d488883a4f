"""The notebook of the clients finds what was lost, doubled or made up."""

import asyncio

import pytest

from kantis_kit.testing.jsonl import FsyncedLog, read_log
from kantis_kit.testing.oracle import ClientOracle


@pytest.fixture
async def oracle(tmp_path):
    async with ClientOracle(tmp_path / "client.jsonl") as started:
        for key in ("a", "b", "c"):
            await started.intent(key, body="x")
        await started.ack("a", status=201)
        await started.ack("b")
        yield started


@pytest.mark.parametrize("stored", [["a", "b"], ["a", "b", "c"], ["c", "b", "a"]])
async def test_what_is_in_doubt_may_be_stored_or_not(oracle, stored):
    found = oracle.reconcile(stored).check()

    assert found.is_sound
    assert found.in_doubt == ("c",)
    assert (found.attempted, found.acknowledged, found.stored) == (3, 2, len(stored))


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (["a"], r"1 acknowledged but not stored \(b\)"),
        ([], r"2 acknowledged but not stored \(a, b\); of 3 attempted, 2 acknowledged, 0 stored"),
        (["a", "b", "b"], r"1 stored more than once \(b\)"),
        (["a", "b", "c", "c"], r"1 stored more than once \(c\)"),
        (["a", "b", "z"], r"1 stored but never attempted \(z\)"),
    ],
)
async def test_a_broken_promise_is_told_with_its_keys(oracle, stored, told):
    with pytest.raises(AssertionError, match=told):
        oracle.reconcile(stored).check()


async def test_a_refused_request_must_not_be_stored_unless_a_retry_was_acknowledged(oracle):
    await oracle.refused("c", status=409)
    assert oracle.reconcile(["a", "b"]).in_doubt == ()
    assert oracle.reconcile(["a", "b", "c"]).ghosts == ("c",)

    await oracle.ack("c")
    assert oracle.reconcile(["a", "b", "c"]).is_sound


async def test_a_retry_with_the_same_key_is_one_attempt(oracle):
    await oracle.intent("c")
    await oracle.ack("c")

    assert oracle.reconcile(["a", "b", "c"]).check().attempted == 3
    assert [record["body"] for record in oracle.records("intent")[:3]] == ["x", "x", "x"]


async def test_it_can_be_reconciled_after_a_kill_that_tore_the_last_line(tmp_path):
    path = tmp_path / "client.jsonl"
    async with ClientOracle(path) as oracle:
        await oracle.intent("a")
    with path.open("ab") as file:
        file.write(b'{"what": "ack", "key": "a')

    assert [record["key"] for record in read_log(path)] == ["a"]
    async with ClientOracle(path) as oracle:
        await oracle.intent("b")
        assert oracle.reconcile([]).in_doubt == ("a", "b")


async def test_many_writers_at_once_lose_nothing_and_share_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    log = FsyncedLog(path)
    writes = []
    write = log._write
    monkeypatch.setattr(log, "_write", lambda lines: (writes.append(1), write(lines)))

    await asyncio.gather(*(log.append({"n": number}) for number in range(500)))
    log.append_now({"n": 500})
    log.close()

    assert [record["n"] for record in read_log(path)] == list(range(501))
    assert len(writes) < 250


def test_a_line_in_the_middle_that_is_not_json_is_told(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"n": 1}\nnonsense\n{"n": 2}\n')

    with pytest.raises(ValueError, match="line 2 is not JSON"):
        read_log(path)


def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert read_log(tmp_path / "none.jsonl") == []
