"""A backup that could not be put back is noticed while there is still time to make another."""

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from kantis.backups import SUMS, faults_in
from kantis.cli import app

MADE = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def backup(folder, made=MADE):
    """Write a backup as the handbook says."""
    folder.mkdir(parents=True)
    lines = []
    for name in ("kantis_contacts.dump", "kantis_orders.dump"):
        content = name.encode() * 50
        (folder / name).write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (folder / SUMS).write_text("".join(lines))
    os.utime(folder / SUMS, (made.timestamp(), made.timestamp()))
    return folder


def faults(folder, *, after=timedelta(hours=20)):
    return list(faults_in(folder, hours=26, now=MADE + after))


def test_a_young_and_whole_backup_is_one(tmp_path):
    backup(tmp_path / "old", MADE - timedelta(days=3))
    backup(tmp_path / "new")

    assert [] == faults(tmp_path)
    assert [] == faults(tmp_path / "new")


@pytest.mark.parametrize("place", [0, 1, 517, -1])
def test_one_changed_byte_is_noticed_wherever_it_is(tmp_path, place):
    dump = backup(tmp_path / "a") / "kantis_orders.dump"
    content = bytearray(dump.read_bytes())
    content[place] ^= 1
    dump.write_bytes(content)

    (said,) = faults(tmp_path)
    assert "kantis_orders.dump" in said
    assert "damaged" in said


def test_what_was_cut_short_or_is_missing_is_noticed(tmp_path):
    folder = backup(tmp_path / "a")
    whole = (folder / "kantis_orders.dump").read_bytes()
    (folder / "kantis_orders.dump").write_bytes(whole[:-1])
    (folder / "kantis_contacts.dump").unlink()

    assert ["missing", "damaged"] == [
        word for one in faults(tmp_path) for word in ("missing", "damaged") if word in one
    ]


def test_a_job_that_fails_in_silence_is_noticed_within_its_period(tmp_path):
    never = faults(tmp_path)
    unfinished = backup(tmp_path / "b")
    (unfinished / SUMS).unlink()
    half = faults(tmp_path)
    backup(tmp_path / "a")

    assert ["has ever been completed"] * 2 == [one[-23:] for (one,) in (never, half)]
    assert ["the newest one is 27 hours old"] == faults(tmp_path, after=timedelta(hours=27))


@pytest.mark.parametrize("line", ["", "nonsense", f"{'a' * 64}  ../../etc/passwd"])
def test_sums_that_say_nothing_are_no_sums(tmp_path, line):
    sums = backup(tmp_path / "a") / SUMS
    sums.write_text(line)
    os.utime(sums, (MADE.timestamp(), MADE.timestamp()))

    (said,) = faults(tmp_path)
    assert "is empty" in said or "did not write" in said


def test_the_doctor_tells_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KANTIS_BACKUP_DIR", str(tmp_path / "backups"))
    monkeypatch.setenv("KANTIS_BACKUP_HOURS", "2")

    def told():
        answer = CliRunner().invoke(app, ["doctor", "--json"])
        wrong = [one["mend"] for one in json.loads(answer.stdout) if not one["good"]]
        return answer.exit_code, wrong

    code, (mend,) = told()
    assert (1, True) == (code, "no backup has ever been completed" in mend)
    backup(tmp_path / "backups" / "a")
    assert "hours old" in told()[1][0]
    os.utime(tmp_path / "backups" / "a" / SUMS)
    assert (0, []) == told()
    monkeypatch.setenv("KANTIS_BACKUP_HOURS", "two")
    assert "must be a number" in told()[1][0]
