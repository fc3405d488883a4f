"""What the API shows of a check of a sender domain."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from kantis_kit.web.schemas import Out

Verdict = Literal["good", "warning", "error", "unknown"]


class Finding(Out):
    """One thing that receivers look at."""

    check: Literal["spf", "dkim", "dmarc", "alignment"]
    verdict: Verdict
    found: str = Field(description="What stands in the DNS")
    detail: str = Field(description="What is wrong, and how to mend it")


class SenderCheck(Out):
    """Whether mails from this domain will be believed to be from it. `is_good`: no finding is an error or unknown."""

    domain: str
    is_good: bool
    findings: list[Finding]
    checked_at: datetime
