"""What a journal says after its sender is gone, and when it is not believed."""

import pytest

from kantis_kit.ids import new_id
from messaging_svc.wire import journal as journals
from messaging_svc.wire.journal import Journal, Mark, Note, journals_in, legacy_at


def _read(folder):
    (path,) = journals_in(folder)
    with legacy_at(path) as legacy:
        return legacy


def test_a_dead_senders_journal_says_how_far_each_attempt_had_come(tmp_path):
    sender, ids = new_id(), [new_id() for _ in range(5)]
    journal = Journal.create(tmp_path / "sending", sender, 8)
    slots = [journal.note(one, n + 1) for n, one in enumerate(ids)]
    journal.mark(slots[1], Mark.BEGUN)
    journal.mark(slots[2], Mark.ACCEPTED)
    journal.mark(slots[3], Mark.REFUSED)
    journal.free(slots[4])
    journal.close()

    legacy = _read(tmp_path / "sending")

    assert sender == legacy.sender
    marks = [Mark.AHEAD, Mark.BEGUN, Mark.ACCEPTED, Mark.REFUSED]
    assert {Note(ids[n], n + 1, mark) for n, mark in enumerate(marks)} == set(legacy.notes)
    assert [] == journals_in(tmp_path / "sending"), "it was read twice"


def test_a_living_senders_journal_is_nobody_elses(tmp_path):
    journal = Journal.create(tmp_path, new_id(), 2)
    journal.note(new_id(), 1)

    assert None is _read(tmp_path)
    assert 1 == len(journals_in(tmp_path))


def test_a_journal_of_an_earlier_boot_says_nothing(tmp_path, monkeypatch):
    journal = Journal.create(tmp_path, new_id(), 2)
    journal.note(new_id(), 1)
    journal.close()
    monkeypatch.setattr(journals, "boot_id", lambda: "another")

    assert None is _read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x" * 30, b"kantisj1" + b"\0" * 200])
def test_a_broken_journal_says_nothing(tmp_path, content):
    (tmp_path / "x.journal").write_bytes(content)

    assert None is _read(tmp_path)


def test_one_that_could_not_be_settled_stays(tmp_path):
    journal = Journal.create(tmp_path, new_id(), 2)
    journal.close()
    (path,) = journals_in(tmp_path)

    with pytest.raises(ConnectionError), legacy_at(path):
        raise ConnectionError

    assert [path] == journals_in(tmp_path)


def test_a_place_is_used_again_and_room_is_known(tmp_path):
    journal = Journal.create(tmp_path, new_id(), 2)
    first = journal.note(new_id(), 1)
    journal.note(new_id(), 1)
    assert 0 == journal.room

    journal.free(first)

    assert 1 == journal.room
    journal.remove()
    assert [] == journals_in(tmp_path)


def test_where_none_can_be_kept_there_is_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    assert None is Journal.create(tmp_path / "file" / "sending", new_id(), 2)

    monkeypatch.setattr(journals, "boot_id", str)
    assert None is Journal.create(tmp_path, new_id(), 2)
