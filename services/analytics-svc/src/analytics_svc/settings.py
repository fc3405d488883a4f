"""Settings of analytics-svc."""

from typing import Annotated, Literal

from pydantic import SecretStr, StringConstraints, model_validator
from pydantic_settings import SettingsConfigDict

from kantis_kit.settings import ServiceSettings


class AnalyticsSettings(ServiceSettings):
    """How long a shared report may be read and a funnel counted, and where questions about raw facts are answered."""

    model_config = SettingsConfigDict(env_prefix="KANTIS_ANALYTICS_", extra="ignore")

    shared_report_days: int = 7
    funnel_timeout_ms: int = 10_000
    fact_store: Literal["postgresql", "clickhouse"] = "postgresql"
    """`clickhouse` keeps a copy of the facts there, which follows within seconds, and asks it."""
    clickhouse_dsn: SecretStr = SecretStr("")
    """`https://user:password@host:8443`."""
    clickhouse_database: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = (
        "kantis"
    )
    """Made when it is not there; its tables `fact` and `copy` are made anew when they belong to another installation."""

    @model_validator(mode="after")
    def _can_reach_the_store(self) -> "AnalyticsSettings":
        if self.fact_store == "clickhouse" and not self.clickhouse_dsn.get_secret_value():
            message = "KANTIS_ANALYTICS_FACT_STORE=clickhouse needs KANTIS_ANALYTICS_CLICKHOUSE_DSN (or …_DSN_FILE)"
            raise ValueError(message)
        return self
