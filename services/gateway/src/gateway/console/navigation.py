"""The entries of the navigation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """An area of the console: where it begins, and who sees it. Its name is the key of its text, `nav.<name>`."""

    name: str
    address: str
    needs: str


NAVIGATION = (
    Entry("today", "/console", ""),
    Entry("contacts", "/console/contacts", "contacts:read"),
    Entry("duplicates", "/console/duplicates", "contacts:read"),
    Entry("imports", "/console/imports", "contacts:read"),
    Entry("segments", "/console/segments", "contacts:read"),
    Entry("campaigns", "/console/campaigns", "campaign:read"),
    Entry("programmes", "/console/programmes", "campaign:read"),
    Entry("desk", "/console/desk", "orders:write"),
    Entry("orders", "/console/orders", "orders:read"),
    Entry("waves", "/console/waves", "orders:read"),
    Entry("invoices", "/console/invoices", "orders:read"),
    Entry("payments", "/console/payments", "orders:read"),
    Entry("inbox", "/console/inbox", "messaging:read"),
    Entry("templates", "/console/templates", "messaging:read"),
    Entry("reports", "/console/reports", "analytics:read"),
    Entry("keys", "/console/keys", "keys:read"),
    Entry("users", "/console/users", "users:read"),
    Entry("operations", "/console/operations", "operations:read"),
)
