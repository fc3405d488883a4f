"""Holds that a page can be read: by machines that read aloud, by weak eyes, on a telephone."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.async_api import Page

READING = (Path(__file__).parent / "reading.js").read_text(encoding="utf-8")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TELEPHONE = {"width": 360, "height": 740}
SERIOUS = frozenset({"serious", "critical"})
_RUN = """
() => axe.run({exclude: [['iframe']]}, {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
})
"""


async def axe_finds(page: Page) -> list[str]:
    """Return what axe finds on a page, each with its weight and the elements it means, as a sentence."""
    # By the debugger's hand: no policy of a page has to let a script in for it.
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate(_RUN)
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']]}"
        for one in found["violations"]
    ]


async def read(page: Page, language: str | None = None) -> None:
    """Hold that a page can be read, and that axe finds nothing on it."""
    await page.wait_for_load_state()
    await _has_no_fault(page, "")
    axe = await axe_finds(page)
    assert not axe, f"{page.url}: {axe}"
    if language:
        assert language == await page.locator("html").get_attribute("lang")
    wide = page.viewport_size
    await page.set_viewport_size(TELEPHONE)
    await _has_no_fault(page, " on a telephone")
    assert wide is not None
    await page.set_viewport_size(wide)


async def _has_no_fault(page: Page, where: str) -> None:
    # Told in words: this module is no test, so pytest does not take its assertions apart.
    faults = await page.evaluate(READING)
    assert not faults, f"{page.url}{where}: {faults}"
