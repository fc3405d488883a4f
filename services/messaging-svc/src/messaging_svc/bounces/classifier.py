"""From what a mail server said to why a message came back: one table, read from the top; the first row that fits decides.

What is our own affair (reputation, authentication, rates) stands before what concerns an address: a server that blocks
us often says so with the code of an unknown user, and nobody may lose their mails for that.

Source: RFC 3463 and RFC 5248, enhanced status codes; the words are those of the large mail services; 2026-11.
"""

import re
from dataclasses import dataclass

from messaging_svc.bounces.model import Category, Verdict

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([245]\d\d)(?![\d.])")
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    category: Category
    status: str = ""
    """A pattern of the whole enhanced status code."""
    words: str = ""
    reply: str = ""
    """A pattern of the three digits of SMTP, where there is no enhanced code."""


_TABLE = (
    # Ours.
    _Row("grey_listed", Category.TRANSIENT, words=r"gr[ea]y-?list|try again (?:later|in \d+)|temporarily deferred"),
    _Row("block_list", Category.POLICY, words=r"block ?list|black ?list|deny ?list|\b(?:dns|r|s)bl\b|spamhaus|spamcop|barracudacentral|sorbs|uceprotect|senderscore|\bS31[0-9]{2}\b|banned sending ip|AS\(\d{4}\)"),
    _Row("reputation", Category.POLICY, words=r"reputation|unsolicited|suspicious (?:activity|sender)|(?:your|sending|client) (?:ip|host|server|network)[^.]{0,60}(?:block|reject|listed|denied)|blocked (?:by|using|due)|bulk mail(?:er)? not"),
    _Row("authentication", Category.POLICY, words=r"\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|not authenticated|authentication (?:required|checks?)|reverse dns|\bptr\b|helo|relay(?:ing)? (?:access )?denied|not permitted to relay"),
    _Row("rate", Category.POLICY, words=r"rate[- ]?limit|too many (?:messages|connections|emails|recipients)|throttl|exceeded (?:the )?(?:maximum|sending|hourly|daily)"),
    _Row("security_status", Category.POLICY, status=r"[45]\.7\.\d+"),
    _Row("protocol_status", Category.POLICY, status=r"5\.5\.\d+"),
    # The message.
    _Row("too_large", Category.CONTENT, status=r"[45]\.(?:3\.4|2\.3)", ),
    _Row("size_words", Category.CONTENT, words=r"message (?:is )?too (?:large|big)|size limit|exceeds (?:the )?(?:maximum|fixed) (?:message )?size"),
    _Row("content_words", Category.CONTENT, words=r"\bspam\b|virus|malware|phish|content (?:rejected|filter|not allowed)|message (?:content )?rejected|attachment|looks like (?:spam|junk)|url(?:ibl| in body)|high probability of spam"),
    _Row("content_status", Category.CONTENT, status=r"[45]\.6\.\d+"),
    # The mailbox.
    _Row("quota_status", Category.FULL, status=r"[45]\.2\.2"),
    _Row("quota_words", Category.FULL, words=r"over ?quota|quota (?:exceeded|full)|exceeded (?:storage|quota)|(?:mailbox|inbox|postboks\w*|brevl[åa]da\w*|postkasse\w*|postilaatikko) (?:is |er |[äa]r |on )?(?:full|fuld\w*|t[äa]ynn[äa])|out of storage|insufficient (?:system )?storage|disk (?:is )?full"),
    # The address.
    _Row("address_status", Category.BAD_ADDRESS, status=r"5\.1\.(?:0|1|2|3|6|10)"),
    _Row("mailbox_closed", Category.BAD_ADDRESS, status=r"5\.2\.1"),
    _Row("domain_status", Category.BAD_ADDRESS, status=r"5\.4\.4"),
    _Row("refused_at_edge", Category.BAD_ADDRESS, status=r"5\.4\.1", words=r"recipient address rejected"),
    _Row("user_words", Category.BAD_ADDRESS, words=r"(?:user|recipient|mailbox|address|account|alias)[^.]{0,50}(?:unknown|not found|does ?n[o']t exist|not exist|no longer|invalid|not valid|disabled|closed|inactive|terminated|not listed|unavailable or)|unknown (?:user|recipient|local|address|mailbox)|no such (?:user|recipient|mailbox|address|person)|no mailbox|invalid (?:recipient|mailbox|address|user)|not a (?:valid|known) (?:user|recipient|mailbox)|ukjent (?:bruker|mottaker)|ok[äa]nd (?:mottagare|anv[äa]ndare)|ukendt (?:bruger|modtager)|tuntematon (?:vastaanottaja|k[äa]ytt[äa]j[äa])"),
    _Row("domain_words", Category.BAD_ADDRESS, words=r"(?:domain|host)[^.]{0,40}(?:not found|does ?n[o']t exist|unknown)|unrout(?:e)?able (?:address|domain)|nxdomain|no mx"),
    # Passing.
    _Row("expired", Category.TRANSIENT, status=r"[45]\.4\.7", ),
    _Row("temporary_status", Category.TRANSIENT, status=r"4\.\d+\.\d+"),
    _Row("expired_words", Category.TRANSIENT, words=r"(?:delivery|message|queue)[^.]{0,30}(?:time[d]? ?(?:out|expired)|expired|too long)|connection (?:timed out|refused)|temporar(?:y|ily)"),
    _Row("network_status", Category.TRANSIENT, status=r"5\.4\.\d+"),
    _Row("full_reply", Category.FULL, reply=r"[45]52"),
    _Row("temporary_reply", Category.TRANSIENT, reply=r"4\d\d"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Compiled:
    row: _Row
    status: "re.Pattern[str] | None"
    words: "re.Pattern[str] | None"
    reply: "re.Pattern[str] | None"

    def fits(self, status: str, words: str, reply: str) -> bool:
        asked = (
            (self.status, self.status is not None and self.status.fullmatch(status)),
            (self.words, self.words is not None and self.words.search(words)),
            (self.reply, self.reply is not None and not status and self.reply.fullmatch(reply)),
        )
        return all(found for pattern, found in asked if pattern is not None)


_COMPILED = tuple(
    _Compiled(
        row,
        *(re.compile(one, re.IGNORECASE) if one else None for one in (row.status, row.words, row.reply)),
    )
    for row in _TABLE
)  # fmt: skip


def status_in(text: str) -> str:
    """Return the first enhanced status code of a text, or nothing."""
    found = _STATUS.search(text[:_LONGEST])
    return found[0] if found else ""


def classify(status: str, text: str) -> Verdict:
    """Return why a message came back, by its enhanced status code and the words that came with it."""
    words = " ".join(text[:_LONGEST].split())
    # A report often says 5.0.0 for itself and the real code in the words of the other server.
    told = status_in(words)
    code = told if told and (not status or status.endswith(".0.0")) else status.strip()
    reply = _REPLY.search(words)
    for one in _COMPILED:
        if one.fits(code, words, reply[1] if reply else ""):
            return Verdict(one.row.category, one.row.name)
    return Verdict(Category.UNKNOWN, "no_rule")
