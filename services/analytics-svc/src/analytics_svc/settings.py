"""Settings of analytics-svc."""

from pydantic_settings import SettingsConfigDict

from kantis_kit.settings import ServiceSettings


class AnalyticsSettings(ServiceSettings):
    """How long a shared report may be read, and how long a funnel may be counted."""

    model_config = SettingsConfigDict(env_prefix="KANTIS_ANALYTICS_", extra="ignore")

    shared_report_days: int = 7
    funnel_timeout_ms: int = 10_000
