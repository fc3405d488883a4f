"""RabbitMQ's definitions file: the virtual host, the exchanges, and one user per service with the rights it needs."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kantis_kit.brokers.port import Subscription

VHOST = "kantis"
EXCHANGE = "kantis.events"
ASIDE = f"{EXCHANGE}.aside"


def password_hash(password: str) -> str:
    """Return what RabbitMQ stores for a password (`rabbit_password_hashing_sha256`).

    The salt comes from the password, so that the same secrets give the same file: they are random and long, and need
    no salt against guessing.
    """
    salt = hashlib.sha256(f"salt {password}".encode()).digest()[:4]
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def definitions(
    passwords: Mapping[str, str], subscriptions: Mapping[str, Sequence[Subscription]]
) -> dict[str, Any]:
    """Return the definitions for these services, each with its password and what it listens to.

    There is no other user: a server that starts with definitions makes no `guest`.
    """
    return {
        "vhosts": [{"name": VHOST, "default_queue_type": "quorum"}],
        "users": [
            {
                "name": service,
                "password_hash": password_hash(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": [],
                "limits": {},
            }
            for service, password in passwords.items()
        ],
        "permissions": [_permission(service) for service in passwords],
        "topic_permissions": [
            rule
            for service in passwords
            for rule in _topic_permissions(service, subscriptions.get(service, ()))
        ],
        # Made here, so that no service needs the right to make or delete them. The second one is a topic exchange,
        # too, because only there RabbitMQ looks at the routing key: a service must not write into another's records.
        "exchanges": [
            {
                "name": name,
                "vhost": VHOST,
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
            for name in (EXCHANGE, ASIDE)
        ],
    }


def _permission(service: str) -> dict[str, str]:
    own = re.escape(service)
    shared = rf"^({own}\..*|kantis\.events(\.aside)?)$"
    return {
        "user": service,
        "vhost": VHOST,
        "configure": rf"^{own}\..*$",
        "write": shared,
        "read": shared,
    }


def _topic_permissions(service: str, subscriptions: Sequence[Subscription]) -> list[dict[str, str]]:
    own = rf"^{re.escape(service)}\."
    producers = sorted({type_.split(".", 1)[0] for each in subscriptions for type_ in each.types})
    # By producer, not by type: a new subscription to somebody already listened to needs no new rights.
    heard = rf"^({'|'.join(map(re.escape, producers))})\.[a-z0-9._]+$" if producers else "^$"
    return [
        {"user": service, "vhost": VHOST, "exchange": EXCHANGE, "write": own, "read": heard},
        {"user": service, "vhost": VHOST, "exchange": ASIDE, "write": own, "read": own},
    ]
