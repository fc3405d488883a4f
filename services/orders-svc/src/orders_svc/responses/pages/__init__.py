"""Pages for the holders of response codes."""

from pathlib import Path

from kantis_kit.web.pages import Pages
from orders_svc.responses.texts import TEXTS

PAGES = Pages(Path(__file__).parent, TEXTS)
