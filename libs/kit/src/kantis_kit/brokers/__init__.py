"""The broker behind one port: `port` says what is promised, `embedded` and `rabbit` keep it."""

from kantis_kit.brokers.port import Broker, Delivery, Subscription

__all__ = ["Broker", "Delivery", "Subscription"]
