"""Settings of analytics-svc."""

from pydantic_settings import SettingsConfigDict

from kantis_kit.settings import ServiceSettings


class AnalyticsSettings(ServiceSettings):
    """How long a shared report may be read."""

    model_config = SettingsConfigDict(env_prefix="KANTIS_ANALYTICS_", extra="ignore")

    shared_report_days: int = 7
