"""A saved report from its schedule to the mailbox and back by the link in the mail, through both services."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from urllib.parse import urlsplit

import analytics_svc.main
import messaging_svc.main
from kantis_contracts.messaging import MessageSettledV1
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually

PEOPLE = [
    {"email": f"{language}@lys.example", "name": "Kim", "language": language}
    for language in ("nb", "sv", "da", "fi", "en")
]
SUBJECTS = {
    "nb": "Rapporten din er klar", "sv": "Din rapport är klar", "da": "Din rapport er klar",
    "fi": "Raporttisi on valmis", "en": "Your report is ready",
}  # fmt: skip


async def test_a_scheduled_report_arrives_once_and_its_link_opens_it(rig_for):
    async with SmtpSink() as sink:
        mail = {
            "smtp_host": "127.0.0.1",
            "smtp_port": sink.port,
            "mail_from": "Lys AS <post@lys.example>",
        }
        rig = await rig_for(
            analytics_svc.main.SPEC, messaging_svc.main.SPEC, settings={"messaging": mail}
        )
        async with rig.client("analytics") as client:
            body = {"name": "Lister <b>&", "report": "lists", "days": 30}
            saved = (await client.post("/v1/reports/saved", json=body)).json()
            path = f"/v1/reports/saved/{saved['id']}"
            await client.post(f"{path}/schedules", json={"every": "day", "recipients": PEOPLE})
            due = datetime(2026, 3, 3, 6, tzinfo=UTC)
            rig.clock.set(due)

            async def are_sent():
                await rig.drain()
                return len(rig.items(MessageSettledV1)) == len(PEOPLE)

            await eventually(are_sent, message="the mails did not go")
            rig.clock.advance(timedelta(hours=1))
            await rig.drain()
        async with rig.client("analytics") as client:
            table = (await client.get(f"{path}.csv")).text

        mails = {
            one["To"]: one
            for one in (message_from_string(sent["message"], policy=policy.default) for sent in sink.messages)
        }  # fmt: skip
        assert len(PEOPLE) == len(sink.messages) == len(mails)
        for address, one in mails.items():
            language = address.partition("@")[0]
            assert SUBJECTS[language] == one["Subject"]
            text = one.get_body(("plain",)).get_content()
            assert "Lister <b>&" in text
            assert "<b>&" not in one.get_body(("html",)).get_content()
            (link,) = re.findall(r"http://kantis\.test/v1/reports/shared/files/\S+", text)
            async with rig.anonymous("analytics") as anybody:
                opened = await anybody.get(urlsplit(link).path)
            assert (200, table) == (opened.status_code, opened.text)
