"""The ledger: what is booked, and what is read of it."""

from orders_svc.billing.ledger.booking import Booking, Entry, book, credit_booking, invoice_booking

__all__ = ["Booking", "Entry", "book", "credit_booking", "invoice_booking"]
