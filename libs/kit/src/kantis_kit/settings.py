"""Settings that every service has; each service adds its own class with its own prefix.

Read from the environment: `KANTIS_…` is for every service, `KANTIS_ORDERS_…` (a service's own prefix) for one alone and
stronger. A value that is a secret may instead stand in a file whose path is in the variable with `_FILE` at the end, as
container platforms do it.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

COMMON_PREFIX = "KANTIS_"


class SecretFileSource(PydanticBaseSettingsSource):
    """Reads `<PREFIX><FIELD>_FILE`: the path of a file that holds the value."""

    def __init__(self, settings_cls: type[BaseSettings], prefix: str | None = None) -> None:
        super().__init__(settings_cls)
        self._prefix = prefix if prefix is not None else self.config.get("env_prefix", "")

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the file's content for one field, or None."""
        name = f"{self._prefix}{field_name}_FILE".upper()
        path = os.environ.get(name)
        if not path:
            return None, field_name, False
        return Path(path).read_text(encoding="utf-8").strip(), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return every field that a file gives."""
        found = {}
        for field_name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, field_name)
            if value is not None:
                found[key] = value
        return found


class ServiceSettings(BaseSettings):
    """What the chassis needs to know."""

    model_config = SettingsConfigDict(env_prefix=COMMON_PREFIX, extra="ignore")

    environment: Literal["embedded", "production", "test"] = "embedded"
    data_dir: Path = Path("data")
    public_url: str = "http://127.0.0.1:8400"
    """Base of every link in a message; never taken from a request."""
    postgres_dsn: SecretStr = SecretStr("")
    """Run-time role of this service: `postgresql://role:password@host/database`."""
    postgres_owner_dsn: SecretStr = SecretStr("")
    """Role that runs the migrations."""
    broker_url: SecretStr = SecretStr("")
    """`amqp://…` for RabbitMQ, `postgresql://…` for the embedded broker."""
    keys_dir: Path = Path("data/keys")
    """Folder with this service's private key and everybody's public keys."""
    link_keys: SecretStr = SecretStr("")
    """Keys of signed links, `kid:hex,kid:hex`; the first one signs, all verify."""
    pool_size: int = 8
    worker_pool_size: int = 4
    statement_timeout_ms: int = 30_000
    lock_timeout_ms: int = 2_000
    connect_timeout_seconds: float = 5.0
    """How long a connection to the database may take; twice as long is waited for a free one of the pool."""
    relay_batch: int = 500
    request_timeout_seconds: float = 30.0
    drain_seconds: float = 1.0
    """How long a stopping process still answers after its readiness has turned red; longer than a load balancer needs
    to see that."""
    max_body_bytes: int = 1_048_576
    log_level: str = "INFO"
    log_format: Literal["json", "console"] = "json"
    otlp_endpoint: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let explicit values win over files, files over the environment, and a service's own prefix over ours."""
        return (
            init_settings,
            SecretFileSource(settings_cls),
            env_settings,
            SecretFileSource(settings_cls, COMMON_PREFIX),
            EnvSettingsSource(settings_cls, env_prefix=COMMON_PREFIX),
        )
