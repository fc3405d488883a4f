"""What is done with rules: kept, judged, fired, rehearsed."""

from campaign_svc.rules.usecases.firing import (
    Happening,
    fire,
    follow_conditions,
    members_among,
)
from campaign_svc.rules.usecases.keeping import (
    change_rule,
    end_rule,
    lock_rule,
    make_rule,
    pause_rule,
    resume_rule,
    take_verdicts,
)
from campaign_svc.rules.usecases.rehearsing import rehearse, take_rehearsal

__all__ = [
    "Happening",
    "change_rule",
    "end_rule",
    "fire",
    "follow_conditions",
    "lock_rule",
    "make_rule",
    "members_among",
    "pause_rule",
    "rehearse",
    "resume_rule",
    "take_rehearsal",
    "take_verdicts",
]
