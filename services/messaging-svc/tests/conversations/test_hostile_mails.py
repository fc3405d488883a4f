"""Mails as they come: pages, attachments, machines, loops, broken and huge ones."""

from email.message import EmailMessage

import pytest

from messaging_svc.conversations.mails import MOST_BYTES, Whole, read_mail

OURS = ("post@lys.example", "svar@lys.example")


def read(data, *, parts=1):
    whole = Whole()
    size = len(data) // parts + 1
    for start in range(0, len(data), size):
        whole.feed(data[start : start + size])
    return read_mail(whole, ours=OURS)


def raw(*lines, body="Hei"):
    return "\r\n".join(("From: kari@x.example", "Message-ID: <a@x>", *lines, "", body)).encode()


def test_a_page_becomes_its_words_without_what_acts_or_is_not_seen():
    page = (
        "<html><head><title>t</title><style>p{}</style></head><body><script>alert(1)</script>"
        "<p>Hei &amp; h&aring;</p><img src=x onerror=alert(1)><div>To<br>linjer</div><ul><li>en</li></ul>"
        '<a href="javascript:x">lenke</a></body></html>'
    )

    found = read(raw("Content-Type: text/html; charset=utf-8", body=page))

    assert "Hei & hå\n\nTo\nlinjer\n\n– en\n\nlenke" == found.text


def test_attachments_are_kept_or_refused_with_a_reason():
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Kåre <kare@x.example>", "Bilde"
    mail.set_content("Se her")
    mail.add_attachment(
        b"%PDF-1", maintype="application", subtype="pdf", filename="../../æ kvittering.pdf"
    )
    mail.add_attachment(b"MZ", maintype="application", subtype="x-msdownload", filename="a.exe")
    mail.add_attachment(b"x" * (6 << 20), maintype="image", subtype="png", filename="stor.png")
    mail.add_attachment(b"", maintype="image", subtype="png", filename="tom.png")
    for n in range(9):
        mail.add_attachment(b"x", maintype="image", subtype="png", filename=f"{n}.png")
    mail.add_attachment(EmailMessage())

    found = read(mail.as_bytes(), parts=7)

    assert ("Kåre", "Se her") == (found.name, found.text)
    assert [("æ kvittering.pdf", b"%PDF-1")] == [(one.name, one.content) for one in found.files][:1]
    assert ["", "files of this kind are not kept", "larger than 5 MB", "it is empty"] == [
        one.refused for one in found.files
    ][:4]
    assert ["more than 10 files"] == sorted({one.refused for one in found.files[10:13]})
    assert 7 == sum(not one.refused for one in found.files)


@pytest.mark.parametrize(
    "line",
    [
        "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x", "Precedence: bulk", "List-Id: <x.y>",
        "X-Autoreply: yes", "Subject: Automatisk svar: borte", "Subject: Frånvaro", "Subject: =?utf-8?q?Fr=C3=A5nvaro?=", "Subject: Automaattinen vastaus",
        "Return-Path: <>", "Content-Type: multipart/report; boundary=x",
    ],
    ids=range(11),
)  # fmt: skip
def test_what_a_machine_wrote_is_no_conversation(line):
    assert "machine" == read(raw(line)).author


@pytest.mark.parametrize(
    ("sender", "line"),
    [
        ("Post@LYS.example", "X: y"), ("svar+abc@lys.example", "X: y"), ("a@x.example", "X-Kantis-Dispatch: 1"),
    ],
    ids=["the sender", "a reply address", "a mail of ours"],
)  # fmt: skip
def test_our_own_mails_are_no_conversation(sender, line):
    assert "own" == read(f"From: {sender}\r\n{line}\r\n\r\nhei".encode()).author


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02", b"hei", b"From: \r\n\r\n", b"From: x\r\n\r\nhei", b"\xff" * 5000, b": :\n" * 100,
    ],
    ids=range(6),
)  # fmt: skip
def test_what_names_no_writer_is_nothing(data):
    assert "nobody" == read(data).author


@pytest.mark.parametrize(
    "lines",
    [
        ("Subject: =?utf-8?b?////?= =?x-none?q?a?=", "Content-Type: text/plain; charset=x-none"),
        ("Subject: a\x00b", "Content-Type: text/plain; charset=utf-16"),
        ("Subject: =?utf-8?q?=F0=9F", "Content-Transfer-Encoding: base64"),
        ('Content-Type: multipart/mixed; boundary="a"', "Subject: uten slutt"),
        ("Content-Type: multipart/mixed", "Subject: uten grense"),
        ("Content-Type: message/rfc822", "Subject: inni"),
    ],
    ids=range(6),
)
def test_a_broken_mail_is_read_as_far_as_it_goes(lines):
    found = read(raw(*lines, body="--a\r\nContent-Type: text/plain\r\n\r\nHei\r\n"))

    assert ("person", "kari@x.example") == (found.author, found.email)
    assert "\x00" not in found.subject + found.text


def _nested(depth):
    lines = ["From: kari@x.example"]
    for n in range(depth):
        lines += [f'Content-Type: multipart/mixed; boundary="b{n}"', "", f"--b{n}"]
    return "\r\n".join([*lines, "Content-Type: text/plain", "", "innerst"]).encode()


@pytest.mark.parametrize(
    "data",
    [
        _nested(30),
        _nested(5_000),
        raw("Content-Type: text/html", body="<div>" * 200_000 + "<a>" * 100_000 + "</a>" * 100_000),
        raw("References: " + "<r@x> " * 200_000),
        raw("Subject: " + "=?utf-8?q?a?= " * 20_000),
        raw('Content-Type: multipart/mixed; boundary="a"', body="--a\r\n\r\nx\r\n" * 50_000),
        raw('Content-Type: multipart/mixed; boundary="a"', body="--a\r\nContent-Type: application/pdf\r\n\r\n"
            + "A" * (MOST_BYTES + 10)),
    ],
    ids=["nested", "very deep", "tags", "references", "words", "parts", "huge"],
)  # fmt: skip
def test_a_mail_that_is_made_to_cost_is_read_in_bounded_time(data):
    found = read(data, parts=3)  # a reader that takes minutes is ended by the limit of every test

    assert "kari@x.example" == found.email
    assert all(one.refused for one in found.files)


async def test_two_machines_that_answer_each_other_come_to_an_end(inbox, write_mail, open_house):
    for n in range(52):
        last = await inbox.post(write_mail("robot@x.example", f"nr {n}", subject="Ping"))

    (one,) = await inbox.found()
    assert ("too_many", 50) == (last["outcome"], one["messages"])
    assert [] == await inbox.run("SELECT 1 FROM dispatch")


async def test_the_door_of_mails_says_what_it_cannot_take(inbox):
    async with inbox.rig.client() as client:
        answers = [
            await client.post("/v1/conversations/mails", content=content, headers={"Content-Type": kind})
            for content, kind in (
                (b"", "text/plain"), (b"{}", "application/json"), (b"hei", "text/plain"),
                (b"x", "multipart/form-data; boundary=q"),
            )
        ]  # fmt: skip
        large = await client.post(
            "/v1/conversations/mails",
            content=b"From: a@x.example\r\n\r\n" + b"x" * (31 << 20),
            headers={"Content-Type": "text/plain"},
        )
    assert [422, 415, 200] == [one.status_code for one in answers[:3]]
    assert answers[3].status_code in (400, 422)
    assert "unreadable" == answers[2].json()["outcome"]
    assert 413 == large.status_code


async def test_a_file_is_downloaded_and_never_shown(inbox):
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@x.example", "<q@x.example>"
    mail.set_content("Se")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="æ.pdf")
    taken = await inbox.post(mail)
    id_ = taken["conversation_id"]
    (message,) = await inbox.messages(id_)
    (file,) = message["files"]

    async with inbox.rig.client() as client:
        got = await client.get(f"/v1/conversations/{id_}/files/{file['id']}")
        foreign = await client.get(f"/v1/conversations/{file['id']}/files/{file['id']}")

    assert (b"%PDF", "application/octet-stream") == (got.content, got.headers["content-type"])
    assert "attachment; filename*=UTF-8''%C3%A6.pdf" == got.headers["content-disposition"]
    assert 404 == foreign.status_code
