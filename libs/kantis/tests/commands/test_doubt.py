"""`kantis settle-log` reads the relay's log and settles what is in doubt in the database of messaging-svc."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from kantis.cli import app
from kantis_kit.ids import new_id
from messaging_svc.main import SPEC


@pytest.fixture
async def rig(rig_for, monkeypatch, tmp_path):
    made = await rig_for(SPEC, start=False)
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path / "nothing runs here"))
    monkeypatch.setenv("KANTIS_SERVICE", "messaging")
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", made.dsns["messaging"])
    return made


async def settle(*words):
    return await asyncio.to_thread(CliRunner().invoke, app, ["settle-log", *words])


async def test_a_log_settles_what_it_knows_and_a_file_that_is_none_is_refused(rig, tmp_path):
    pool = await rig.service.database.pool()
    for number in range(2):
        await pool.execute(
            "INSERT INTO dispatch (id, origin, origin_id, channel, is_marketing, state, next_at, planned_at, settled_at,"
            " rfc_message_id) VALUES ($1, 'notice', $1, 'email', false, 'in_doubt', $2, $2, $2, $3)",
            new_id(),
            rig.clock.now(),
            f"<{number}@lys.example>",
        )
    log = tmp_path / "mail.log"
    log.write_text(
        "Nov 23 06:08:02 mx postfix/cleanup[71]: 4F1A2B3C4D: message-id=<0@lys.example>\n"
        "Nov 23 06:08:02 mx postfix/qmgr[7]: 4F1A2B3C4D: from=<>, size=1, nrcpt=1 (queue active)\n"
    )
    other = tmp_path / "other.log"
    other.write_text("nothing of Postfix\n")

    told = await settle(str(log))
    refused = await settle(str(other))
    whole = json.loads((await settle(str(log), "--complete", "--json")).stdout)

    assert "1 sent, 0 failed, 0 not sent and planned again; 1 in doubt still" in told.stderr
    assert 1 == refused.exit_code
    assert (0, 1, 0) == (whole["sent"], whole["not_sent"], whole["left"])
    states = await pool.fetch("SELECT state FROM dispatch ORDER BY rfc_message_id")
    assert ["accepted", "planned"] == [row["state"] for row in states]
