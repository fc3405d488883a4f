"""What can be refused about webhooks."""

from kantis_kit.errors import Conflict, NotFound


class WebhookUnknown(NotFound):
    """There is no such webhook."""

    slug, title = "webhook-unknown", "There is no such webhook"


class WebhookClosed(Conflict):
    """Nothing is told there any more."""

    slug, title = "webhook-closed", "This webhook was closed"
