"""Waiting is bounded, and tells what it saw last."""

import asyncio

import pytest

from kantis_kit.testing.waiting import eventually


async def test_it_returns_the_first_value_that_is_true():
    values = iter([0, None, "", "here"])

    assert await eventually(lambda: next(values), message="no value") == "here"


async def test_a_coroutine_function_is_awaited():
    calls: list[int] = []

    async def check() -> int:
        calls.append(1)
        return len(calls) if len(calls) > 2 else 0

    assert await eventually(check, message="no third call") == 3


async def test_a_failure_tells_what_was_expected_and_what_was_seen_last():
    with pytest.raises(AssertionError, match=r"two rows: not within 0\.05 s; last seen: \[\]"):
        await eventually(list, message="two rows", within=0.05)


async def test_a_check_that_hangs_is_cancelled():
    with pytest.raises(AssertionError, match="an answer: not within"):
        await eventually(asyncio.Event().wait, message="an answer", within=0.05)


async def test_an_expected_error_means_not_yet_and_another_one_is_raised():
    errors = iter([ConnectionRefusedError("down"), ConnectionRefusedError("down")])

    def check() -> str:
        error = next(errors, None)
        if error:
            raise error
        return "up"

    assert await eventually(check, message="up", retry_on=(ConnectionRefusedError,)) == "up"
    with pytest.raises(ZeroDivisionError):
        await eventually(lambda: 1 // 0, message="a number", retry_on=(OSError,))


async def test_an_expected_error_that_stays_is_told():
    def check() -> str:
        raise ConnectionRefusedError("still down")

    with pytest.raises(AssertionError, match="still down"):
        await eventually(check, message="up", within=0.05, retry_on=(OSError,))


async def test_the_own_time_out_of_a_check_is_not_swallowed():
    def check() -> str:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await eventually(check, message="up")
