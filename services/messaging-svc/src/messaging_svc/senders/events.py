"""What of checks of sender domains leaves the service."""

from kantis_contracts import messaging
from messaging_svc.senders.schemas import SenderCheck


def checked(check: SenderCheck, *, is_ours: bool) -> messaging.SenderCheckedV1:
    """Tell what the DNS said; what stands in it stays here."""
    told = messaging.SenderCheck(
        domain=check.domain,
        is_ours=is_ours,
        findings=tuple(
            messaging.SenderFinding(check=one.check, verdict=one.verdict, detail=one.detail)
            for one in check.findings
        ),
        checked_at=check.checked_at,
    )
    return messaging.SenderCheckedV1(items=(told,))
