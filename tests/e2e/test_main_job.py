"""The main job, played by the demonstration through the public API: in one process on embedded parts, and in many."""

import pytest

from kantis_kit.testing.rabbit import obtain

pytestmark = pytest.mark.timeout(
    300
)  # against hanging: a whole house on a busy machine takes its time


def hold(told):
    """What the story must come to, whatever it ran on."""
    assert told["import"]["rows"] == 250
    assert 0 < told["import"]["rejected"] < 25
    assert told["sent"]["accepted"] == told["segment"] > 100
    assert told["web_orders"] == 24
    assert told["keyed"] == 1
    assert told["orders"] == told["invoices"] == 25
    assert told["paid"] == 20
    assert sum(cell["paid"] for cell in told["cells"]) == 20
    assert sum(cell["sent"] for cell in told["cells"]) == told["sent"]["accepted"]
    why = told["why"]
    assert why["segment"]["because"]
    assert why["permission"]["ledger_id"]


def balances(told):
    """The sums per currency of what the ledger says."""
    sums = {}
    for row in told["ledger"]["accounts"]:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["amount_minor"]
    return sums


async def test_in_one_process_on_embedded_parts(open_house, tmp_path):
    async with open_house(tmp_path) as house:
        told = await house.demo(250)
        await house.quiet()

        hold(told)
        assert {0} == set(balances(told).values())
        assert 1 == max(house.mails().values())


@pytest.mark.rabbit
async def test_in_processes_of_their_own_on_rabbitmq(open_house, tmp_path):
    server = obtain()
    try:
        async with open_house(tmp_path, rabbit=server.url) as house:
            told = await house.demo(250)
            await house.quiet()

            hold(told)
            assert 1 == max(house.mails().values())
    finally:
        server.close()
