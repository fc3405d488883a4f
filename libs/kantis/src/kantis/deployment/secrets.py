"""The secrets of a deployment: generated once into a vault, and laid out so that each container gets its own only.

The vault is the one folder to back up. Everything else is derived from it again at each start, so a secret is changed
by changing (or removing) its file in the vault.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kantis.deployment.rabbit import VHOST, definitions
from kantis.registry import ALL, spec_of
from kantis_kit.consumer import subscriptions
from kantis_kit.db.provision import SecretFiles, addresses, identifier, with_login
from kantis_kit.signing import PUBLIC_FILE, make_keys

ADMIN = "postgres"
_OWN: Mapping[str, tuple[str, ...]] = {
    "contacts": ("suppression_key",),
    "messaging": ("smtp_password",),  # empty until somebody fills it in
}
"""Secrets that one service alone has, by the names of their files."""
_FOLDER_MODE = 0o750
_FILE_MODE = 0o440  # the database's and the broker's own users read theirs by group


@dataclass(frozen=True, slots=True)
class Places:
    """Where the servers answer."""

    postgres: str = "postgres:5432"
    rabbitmq: str = "rabbitmq:5672"


def fill_vault(vault: Path) -> None:
    """Make the secrets that are missing; what exists is kept."""
    vault.mkdir(parents=True, exist_ok=True, mode=0o700)
    _ensure(vault / ADMIN, secrets.token_urlsafe(32))
    for service in ALL:
        for role in ("owner", "app"):
            _ensure(vault / f"{identifier(service)}_{role}", secrets.token_urlsafe(32))
        _ensure(vault / f"rabbitmq_{service}", secrets.token_urlsafe(32))
    _ensure(vault / "link_keys", f"1:{secrets.token_hex(32)}")
    _ensure(vault / "suppression_key", secrets.token_hex(32))
    _ensure(vault / "smtp_password", "")
    make_keys(vault / "keys", ALL)


def hand_out(vault: Path, out: Path, places: Places) -> None:
    """Write what each container needs into a folder of its own below `out`.

    `postgres` and `rabbitmq` for the servers, `owners` for the migrations, and one folder per service with the
    addresses of its run-time roles, the keys of signed links, its private key and everybody's public keys.
    """
    passwords = SecretFiles(vault)
    admin = admin_dsn(vault, places)
    broker = {name: passwords.password(f"rabbitmq_{name}") for name in ALL}
    listening = {name: subscriptions(spec_of(name).handlers) for name in ALL}
    _write(out / "postgres", {"password": passwords.password(ADMIN)})
    _write(
        out / "rabbitmq",
        {"definitions.json": json.dumps(definitions(broker, listening), indent=1)},
    )
    dsns = {name: addresses(admin, name, passwords=passwords) for name in ALL}
    _write(out / "owners", {f"{name}_dsn": dsns[name].owner_dsn for name in ALL})
    for name in ALL:
        _write(
            out / name,
            {
                **{file: (vault / file).read_text(encoding="utf-8") for file in _OWN.get(name, ())},
                "postgres_dsn": dsns[name].app_dsn,
                "broker_url": f"amqp://{name}:{broker[name]}@{places.rabbitmq}/{VHOST}",
                "link_keys": passwords.password("link_keys"),
            },
        )
        _write(
            out / name / "keys",
            {
                file: (vault / "keys" / file).read_text(encoding="utf-8")
                for file in (f"{name}.key", PUBLIC_FILE)
            },
        )


def admin_dsn(vault: Path, places: Places) -> str:
    """Return the administrator's address, as which databases and roles are made."""
    password = SecretFiles(vault).password(ADMIN)
    return with_login(
        f"postgresql://{places.postgres}/", role=ADMIN, password=password, database="postgres"
    )


def _ensure(path: Path, value: str) -> None:
    if path.exists() and (path.stat().st_size or not value):
        return
    _put(path, value, 0o600)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
    for stale in folder.iterdir():
        if stale.name not in files and stale.name != "keys":
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    for name, value in files.items():
        _put(folder / name, value, _FILE_MODE)


def _put(path: Path, value: str, mode: int) -> None:
    # Whole or not at all, and never readable by others in between.
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
