"""What can be refused about held sending."""

from kantis_kit.errors import Conflict


class SendingNotHeld(Conflict):
    """Only held sending can be released."""

    slug, title = "sending-not-held", "Sending is not held"
