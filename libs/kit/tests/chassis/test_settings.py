"""Settings come from where a person or a platform put them, the more particular place first."""

from pydantic_settings import SettingsConfigDict

from kantis_kit.settings import ServiceSettings


class OwnSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="KANTIS_PROBE_", extra="ignore")

    colour: str = "grey"


def test_a_common_variable_reaches_a_service_with_a_prefix_of_its_own(monkeypatch):
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", "postgresql://common")
    monkeypatch.setenv("KANTIS_COLOUR", "blue")

    settings = OwnSettings()

    assert "postgresql://common" == settings.postgres_dsn.get_secret_value()
    assert "blue" == settings.colour


def test_the_service_s_own_variable_wins_over_the_common_one(monkeypatch):
    monkeypatch.setenv("KANTIS_POOL_SIZE", "3")
    monkeypatch.setenv("KANTIS_PROBE_POOL_SIZE", "5")

    assert 5 == OwnSettings().pool_size
    assert 3 == ServiceSettings().pool_size


def test_a_secret_is_read_from_the_file_that_a_variable_names(monkeypatch, tmp_path):
    (tmp_path / "dsn").write_text("postgresql://from-a-file\n", encoding="utf-8")
    monkeypatch.setenv("KANTIS_POSTGRES_DSN_FILE", str(tmp_path / "dsn"))
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", "postgresql://from-the-environment")

    for settings in (ServiceSettings(), OwnSettings()):
        assert "postgresql://from-a-file" == settings.postgres_dsn.get_secret_value()


def test_an_explicit_value_wins_over_everything(monkeypatch, tmp_path):
    (tmp_path / "url").write_text("amqp://from-a-file", encoding="utf-8")
    monkeypatch.setenv("KANTIS_BROKER_URL_FILE", str(tmp_path / "url"))

    assert "amqp://given" == OwnSettings(broker_url="amqp://given").broker_url.get_secret_value()
