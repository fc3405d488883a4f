"""Settings of campaign-svc."""

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from kantis_kit.networks import networks
from kantis_kit.settings import ServiceSettings


class CampaignSettings(ServiceSettings):
    """How launches are paced, and how old what they rest on may be."""

    model_config = SettingsConfigDict(env_prefix="KANTIS_CAMPAIGN_", extra="ignore")

    preflight_max_age_hours: int = 24
    wave_in_flight: int = 50_000
    """So many pieces of a launch are on their way at most; the rest is released as these come to their end."""
    schedule_grace_minutes: int = 60
    """A launch that could not begin within so many minutes of its moment waits for a person."""
    till_time_zone: str = "Europe/Oslo"
    """The clock by which tills are told when a coupon was used."""
    webhook_networks: list[str] = Field(default_factory=list)
    """Networks of our own that webhooks may be sent to, without TLS too: `["10.1.0.0/16"]`; else the public net alone."""
    programme_grace_hours: int = 24
    """A step of a programme that is so many hours late, because nothing ran, waits for a person."""

    @field_validator("webhook_networks")
    @classmethod
    def check_networks(cls, value: list[str]) -> list[str]:
        """Refuse at the start what is no network."""
        networks(value)
        return value
