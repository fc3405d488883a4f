"""One table from what servers say to why a message came back; what is our affair never counts against an address."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging_svc.bounces.classifier import classify, status_in
from messaging_svc.bounces.model import Category, is_worn_out

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAID = (
    ("bad_address", "5.1.1", "smtp; 550 5.1.1 The email account that you tried to reach does not exist"),
    ("bad_address", "", "550 5.1.1 <kari@x.no>: Recipient address rejected: User unknown in virtual mailbox table"),
    ("bad_address", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
    ("bad_address", "5.1.2", "Host or domain name not found. Name service error"),
    ("bad_address", "5.0.0", "550 No such user here"),
    ("bad_address", "", "550 Ukjent bruker"),
    ("bad_address", "", "550 okänd mottagare"),
    ("bad_address", "", "550 tuntematon vastaanottaja"),
    ("bad_address", "5.2.1", "550 5.2.1 The email account that you tried to reach is disabled"),
    ("bad_address", "5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS201806281"),
    ("bad_address", "5.4.4", "DNS domain does not exist"),
    ("full", "4.2.2", "452 4.2.2 The email account that you tried to reach is over quota"),
    ("full", "5.2.2", "552 5.2.2 mailbox full"),
    ("full", "", "552 Requested mail action aborted: exceeded storage allocation"),
    ("full", "", "450 brevlådan är full"),
    ("policy", "5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    ("policy", "5.1.1", "550 5.1.1 your IP is on our block list"),
    ("policy", "5.7.26", "550-5.7.26 This mail is unauthenticated: DKIM did not pass, SPF did not pass"),
    ("policy", "5.7.1", "550 5.7.1 unknown user, or you may not write to them"),
    ("policy", "4.7.0", "421 4.7.0 Our system has detected an unusual rate of unsolicited mail"),
    ("policy", "", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"),
    ("policy", "", "550 SC-001 Unfortunately, messages from 192.0.2.1 weren't sent. Part of their network is on our block list (S3150)."),
    ("policy", "", "450 too many connections from your host"),
    ("policy", "5.5.2", "500 5.5.2 syntax error"),
    ("content", "5.6.0", "554 5.6.0 message content rejected"),
    ("content", "5.3.4", "552 5.3.4 Message size exceeds fixed limit"),
    ("content", "", "554 This message looks like spam"),
    ("content", "5.2.3", "552 5.2.3 message too large for the recipient"),
    ("transient", "4.3.2", "451 4.3.2 system not accepting network messages"),
    ("transient", "4.7.1", "450 4.7.1 Greylisted, try again later"),
    ("transient", "4.4.7", "delivery time expired"),
    ("transient", "5.4.7", "delivery time expired"),
    ("transient", "", "421 service not available"),
    ("transient", "5.0.0", "Delivery expired (message too old). connection timed out"),
    ("unknown", "", "554 transaction failed"),
    ("unknown", "5.0.0", "computer says no"),
    ("unknown", "", ""),
)  # fmt: skip


@pytest.mark.parametrize(("category", "status", "text"), SAID)
def test_the_table_knows_what_servers_say(category, status, text):
    verdict = classify(status, text)

    assert category == verdict.category, verdict.rule


@pytest.mark.parametrize("digit", range(40))
def test_whatever_words_come_with_it_a_security_code_is_never_the_address(digit):
    verdict = classify(f"5.7.{digit}", "user unknown, mailbox full, no such user")

    assert Category.POLICY is verdict.category


def test_a_code_is_found_where_it_stands_and_no_other_numbers():
    assert "5.1.1" == status_in("#<host.example #5.1.1 smtp; 550 5.1.1>")
    assert "" == status_in("192.0.2.1 said 550, version 15.1.2.3")


@pytest.mark.parametrize(
    ("days", "is_worn"),
    [
        ((0, 1, 2), True),
        ((0, 0, 0), False),  # three times on one day
        ((0, 1), False),
        ((0, 1, 70), False),  # not within sixty days
        ((0, 80, 81, 82), False),
        ((10, 11, 12), True),
        ((90, 91, 92), False),  # ninety days have passed
        ((), False),
    ],
)
def test_passing_troubles_count_by_days_and_pass(days, is_worn):
    assert is_worn == is_worn_out([NOW - timedelta(days=one) for one in days], now=NOW)
