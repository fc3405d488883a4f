"""Where mails are handed over, and how; and what was learnt about it."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Literal

from kantis_kit import observability

log = observability.get_logger(__name__)

_ALONE_SECONDS = 600.0

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The longest waits for an answer, by phase."""

    opening_seconds: float = 30.0
    command_seconds: float = 30.0
    dot_seconds: float = 600.0  # RFC 5321, 4.5.3.2.6: an early end here is what makes duplicates


@dataclass(slots=True, eq=False)
class Server:
    """A mail server that takes our mails."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = "none"
    name: str = "kantis.invalid"
    deadlines: Deadlines = field(default_factory=Deadlines)
    _alone_until: float = 0.0
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    def tls_context(self) -> ssl.SSLContext:
        """Return what checks the server's certificate; made once."""
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context

    def trust(self, context: ssl.SSLContext) -> None:
        """Check certificates by this."""
        self._context = context

    def may_pipeline(self) -> bool:
        """Say whether commands may be sent ahead where the server says that it likes that."""
        return asyncio.get_running_loop().time() >= self._alone_until

    def doubt_pipelining(self, reason: str) -> None:
        """Send nothing ahead for a while: envelopes that were sent ahead met silence or a closed door."""
        if self.may_pipeline():
            log.warning("wire.no_pipelining", host=self.host, reason=reason)
        self._alone_until = asyncio.get_running_loop().time() + _ALONE_SECONDS
