"""Pages for who has been sent an invoice."""

from pathlib import Path

from kantis_kit.web.pages import Pages
from orders_svc.billing.documents.texts import TEXTS

PAGES = Pages(Path(__file__).parent, TEXTS)
