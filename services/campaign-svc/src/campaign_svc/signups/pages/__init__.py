"""The pages of sign-ups."""

from pathlib import Path

from campaign_svc.signups.texts import TEXTS
from kantis_kit.web.pages import Pages

PAGES = Pages(Path(__file__).parent, TEXTS)
