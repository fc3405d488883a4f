"""The gateway's knobs."""

from typing import Literal

from pydantic import Field

from kantis_kit.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """What can be set by `KANTIS_…` beside what every service has."""

    upstream_contacts: str = ""
    """Address of contacts when it runs in a process of its own, such as `http://contacts:8000`; so for the others."""
    upstream_campaign: str = ""
    upstream_orders: str = ""
    upstream_messaging: str = ""
    upstream_analytics: str = ""
    upstream_mailbox: str = ""
    """Address of a mailbox that catches mail, shown under `/mailbox` to everybody; empty where real mail is sent."""
    upstream_timeout_seconds: float = 30.0
    upstream_connections: int = 100
    import_timeout_seconds: float = 600.0
    lead_timeout_seconds: float = 10.0
    """How long contacts may take with a lead before the spool takes it."""
    trusted_hosts: list[str] = Field(default_factory=list)
    """Host names that are answered; empty: all. Links never come from a request either way."""
    trusted_proxies: list[str] = Field(default_factory=list)
    """Networks of the edge proxies in front, whose X-Forwarded-For is believed: `["10.0.0.0/8"]`."""
    internal_networks: list[str] = Field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    """Networks that may read `/metrics` and the details of `/readyz`."""
    docs_for: Literal["everyone", "internal"] = "everyone"
    key_limit: str = "500/second"
    ip_limit: str = "1200/minute"
    """Requests of one address to public pages, and without a key."""
    attempt_limit: str = "10/minute"
    """Unknown keys tried from one address."""
    key_cache_seconds: float = 2.0
    """How long a verified key is believed; a revocation takes effect after that at the latest."""
    spool_max_rows: int = 100_000
    spool_lease_seconds: float = 60.0
    """How long a lead waits for a deliverer that has died; longer than a delivery may take."""
    spool_max_age_days: int = 6
    """Longest wait of a lead; services remember idempotency keys for seven days."""
    session_idle_minutes: int = 120
    """A session of the console that nobody used for so long has ended."""
    session_hours: int = 12
    """How long a signing in lasts at most."""
    sign_in_limit: str = "20/minute"
    """Tries to sign in from one address."""
