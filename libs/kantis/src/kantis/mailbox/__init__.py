"""The local mailbox: every mail is caught and shown, nothing leaves the laptop."""
