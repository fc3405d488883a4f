"""A calendar file (iCalendar) of an event or a webinar, for whoever has signed up.

Source: RFC 5545; lines end with CR LF and are folded after 75 octets, commas, semicolons and backslashes are escaped.
"""

from datetime import UTC, datetime, timedelta

from campaign_svc.programmes.schemas.graph import Content

MEDIA_TYPE = "text/calendar"
_OCTETS = 75
_STAMP = "%Y%m%dT%H%M%SZ"


def calendar_file(uid: str, step: Content, *, stamped_at: datetime) -> str:
    """Return the file; `uid` is the same whenever it is asked for, so that a calendar replaces what it has."""
    begins_at = (step.begins_at or stamped_at).astimezone(UTC)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kantis//Programmes//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{stamped_at.astimezone(UTC):{_STAMP}}",
        f"DTSTART:{begins_at:{_STAMP}}",
        f"DTEND:{begins_at + timedelta(minutes=step.minutes):{_STAMP}}",
        f"SUMMARY:{_escaped(step.title)}",
        *([f"LOCATION:{_escaped(step.place)}"] if step.place else []),
        *([f"URL:{step.link}"] if step.link else []),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> str:
    """Fold a line by octets, never inside a letter."""
    parts, part, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _OCTETS:
            parts.append(part)
            part, size = "", 1  # the space that begins the next line
        part, size = part + letter, size + octets
    return "\r\n ".join([*parts, part])
