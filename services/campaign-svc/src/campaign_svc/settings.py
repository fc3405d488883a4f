"""Settings of campaign-svc."""

from pydantic_settings import SettingsConfigDict

from kantis_kit.settings import ServiceSettings


class CampaignSettings(ServiceSettings):
    """What the pre-flight lets pass without a person's signature."""

    model_config = SettingsConfigDict(env_prefix="KANTIS_CAMPAIGN_", extra="ignore")

    preflight_max_age_hours: int = 24
    schedule_grace_minutes: int = 60
    """A launch that could not begin within so many minutes of its moment waits for a person."""
    preflight_missing_names_pct: int = 50
    """More members than this without a preferred name make the verdict yellow."""
    preflight_duplicates_pct: int = 1
    """More likely duplicates than this make the verdict yellow."""
