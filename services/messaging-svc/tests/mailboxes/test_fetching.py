"""A mailbox of bounces on an IMAP server that talks over a socket: each mail is taken once, whatever breaks."""

import re
from datetime import timedelta

import pytest

from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.mailboxes import fetching


@pytest.fixture
def open_mailbox(imap, open_house):
    async def make(**more):
        return await open_house(
            smtp_host="", bounce_imap_host="127.0.0.1", bounce_imap_port=imap.port, bounce_imap_tls="none",
            bounce_imap_user="kari", bounce_imap_password='he"mmelig', bounce_imap_seconds=0.02, **more,
        )  # fmt: skip

    return make


async def _get(house, path="/v1/bounces"):
    async with house.rig.client() as client:
        answer = (await client.get(path)).json()
    return answer if isinstance(answer, list) else answer["items"]


async def _until_read(imap, *uids):
    await eventually(lambda: set(uids) <= imap.seen, message=f"{uids} were not marked")


async def test_mails_are_taken_marked_and_shown(imap, open_mailbox, bounced_mail):
    imap.mails = {3: bounced_mail(3), 5: bounced_mail(5)}
    house = await open_mailbox()

    await _until_read(imap, 3, 5)
    imap.mails[8] = bounced_mail(8)
    await _until_read(imap, 8)
    (state,) = await eventually(lambda: _get(house, "/v1/bounces/mailboxes"), message="no state")

    told = await _get(house)
    assert ["<3@mx>", "<5@mx>", "<8@mx>"] == sorted(
        one["external_id"].partition("|")[0] for one in told
    )
    assert {"bad_address"} == {one["category"] for one in told}
    assert 'LOGIN kari "he\\"mmelig"' in imap.heard
    assert ("kari@127.0.0.1/INBOX", "", None) == (
        state["mailbox"],
        state["problem"],
        state["away_since"],
    )


@pytest.mark.parametrize(
    ("capabilities", "command"), [("IMAP4rev1 MOVE", "UID MOVE 3"), ("IMAP4rev1", "UID COPY 3")]
)
async def test_a_mail_is_moved_where_a_folder_is_named(
    imap, open_mailbox, capabilities, command, bounced_mail
):
    imap.mails, imap.capabilities = {3: bounced_mail(3)}, capabilities
    await open_mailbox(bounce_imap_done_folder="Done")

    await eventually(lambda: imap.moved, message="it was not moved")

    assert {3: "Done"} == imap.moved
    assert [True] == [True for one in imap.heard if one.startswith(command)]


@pytest.mark.parametrize("where", ["SELECT", "BODY.PEEK", "STORE"])
async def test_a_server_that_breaks_off_costs_nothing_and_doubles_nothing(
    imap, open_mailbox, where, bounced_mail
):
    imap.mails, imap.breaks_at = {3: bounced_mail(3)}, where
    house = await open_mailbox()

    await _until_read(imap, 3)

    assert 1 == len(await _get(house))
    pool = await house.rig.service.database.pool()
    assert 1 == await pool.fetchval("SELECT count(*) FROM mailbox_mail")
    bodies = sum("BODY.PEEK" in one for one in imap.heard)
    assert bodies == (2 if where == "BODY.PEEK" else 1)


async def test_a_mailbox_that_was_made_anew_is_another_one_and_a_known_bounce_counts_once(
    imap, open_mailbox, bounced_mail
):
    imap.mails = {3: bounced_mail(3)}
    house = await open_mailbox()
    await _until_read(imap, 3)
    imap.validity, imap.mails = 8, {3: bounced_mail(3), 4: bounced_mail(4)}
    imap.seen.clear()

    await _until_read(imap, 3, 4)

    assert 2 == len(await _get(house))


async def test_who_may_not_in_is_shown_with_since_when(imap, open_mailbox):
    imap.is_refusing = True
    house = await open_mailbox()

    (state,) = await eventually(lambda: _get(house, "/v1/bounces/mailboxes"), message="no state")
    imap.is_refusing = False

    async def is_well():
        (found,) = await _get(house, "/v1/bounces/mailboxes")
        return not found["problem"] and found["away_since"] is None

    await eventually(is_well, message="it stays away")
    assert "wrong" in state["problem"]
    assert state["away_since"]


async def test_a_large_mail_is_read_as_far_as_one_that_is_posted(
    imap, open_mailbox, monkeypatch, bounced_mail
):
    monkeypatch.setattr(fetching, "MAX_MAIL_BYTES", 3 << 20)
    filler = b"--b\r\nContent-Type: text/plain\r\n\r\n" + (b"y" * 76 + b"\r\n") * 20_000
    imap.mails = {3: bounced_mail(3, filler), 4: bounced_mail(4, filler * 3)}
    house = await open_mailbox()

    await _until_read(imap, 3, 4)

    categories = {
        one["external_id"].partition("|")[0]: one["category"] for one in await _get(house)
    }
    assert "bad_address" == categories["<3@mx>"]
    assert "bad_address" != categories["<4@mx>"]
    assert not [one for one in imap.heard if re.search(r"<(3145728|4194304)\.", one)]


async def test_what_was_taken_long_ago_is_forgotten(imap, open_mailbox, bounced_mail):
    imap.mails = {3: bounced_mail(3)}
    house = await open_mailbox()
    await _until_read(imap, 3)

    house.rig.clock.advance(timedelta(days=91))
    async with write(house.rig.service.scope) as tx:
        await fetching.forget_old(tx)

    pool = await house.rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM mailbox_mail")
