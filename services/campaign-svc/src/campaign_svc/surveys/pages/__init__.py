"""Pages of surveys."""

from pathlib import Path

from campaign_svc.surveys.texts import TEXTS
from kantis_kit.web.pages import Pages

PAGES = Pages(Path(__file__).parent, TEXTS)
