"""Reports that are due."""

from collections.abc import Sequence

from analytics_svc.schedules import usecases
from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx


@on_timer(usecases.TIMER)
async def mail_reports(tx: Tx, timers: Sequence[Timer]) -> None:
    """Ask for the mails of reports that are due."""
    await usecases.mail_due(tx, timers)
