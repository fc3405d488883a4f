"""The broker behind one port: `port` says what is promised, `embedded` and `rabbit` keep it."""

from kantis_kit.brokers.port import Broker, Delivery, Subscription

__all__ = ["Broker", "Delivery", "Subscription", "connect"]


def connect(url: str, *, service: str) -> Broker:
    """Return the adapter for a URL: `amqp(s)://…` is RabbitMQ, `postgresql://…` the embedded broker."""
    if url.startswith("amqp"):
        from kantis_kit.brokers.rabbit import RabbitBroker  # noqa: PLC0415 - only those who use it pay for it

        return RabbitBroker(url, service=service)
    if url.startswith("postgres"):
        from kantis_kit.brokers.embedded import EmbeddedBroker  # noqa: PLC0415 - as above

        return EmbeddedBroker(url)
    message = f"broker_url must begin with amqp:// or postgresql://, not {url.split(':', 1)[0]!r}"
    raise ValueError(message)
