"""Takes the pictures of the README: `python tools/pictures.py [NAME …]`, into docs/pictures.

Starts an installation of its own in a temporary folder, plays the demonstration, and visits its pages with Debian's
Chromium. What finds the browser and starts the house serves tests/browser too.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from kantis import runtime

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
WIDTH = 1200
MAX_BYTES = 150_000
FORM = "/f/friluft"
MEND = "No Chromium was found; install it:  apt-get install -y --no-install-recommends chromium"


class NoBrowser(RuntimeError):
    """No browser is there, and none could be installed."""


def find_chromium() -> str:
    """Return Chromium's path; as root, install Debian's when it is missing. Raises `NoBrowser`."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrowser(MEND)
    install = "apt-get update -q && apt-get install -q -y --no-install-recommends chromium"
    done = subprocess.run(["sh", "-c", install], capture_output=True, text=True, check=False)
    found = shutil.which("chromium")
    if found is None:
        raise NoBrowser(f"{MEND}\napt-get said:\n{(done.stdout + done.stderr)[-2000:]}")
    return found


def browser_arguments() -> dict[str, Any]:
    """Return what Playwright must know to start the browser; root has no sandbox."""
    flags = ["--disable-dev-shm-usage", "--force-color-profile=srgb"]
    return {
        "executable_path": find_chromium(),
        "args": [*flags, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
    }


@dataclass(frozen=True)
class House:
    """An installation that runs, and what its demonstration came to."""

    url: str
    told: dict[str, Any]
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Run a `kantis` command on it and return what it prints."""
        return kantis(self.environment, *arguments)


def kantis(environment: dict[str, str], *arguments: str) -> str:
    """Run a `kantis` command; on failure, say what it said."""
    run = subprocess.run(
        [sys.executable, "-m", "kantis", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        message = f"kantis {' '.join(arguments)} failed:\n{run.stdout[-2000:]}{run.stderr[-4000:]}"
        raise RuntimeError(message)
    return run.stdout


@contextmanager
def running_house(folder: Path, *, people: int) -> Iterator[House]:
    """Start an installation below a folder and play the demonstration; it ends with the block."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KANTIS_")},
        "KANTIS_DATA_DIR": str(folder / "data"),
        "KANTIS_CHAT_NEVER_CLOSES": "true",  # the pages do not depend on the hour
    }
    kantis(environment, "up", "--detach")
    try:
        told = json.loads(kantis(environment, "demo", "--people", str(people), "--json"))
        running = runtime.read(folder / "data")
        assert running is not None  # noqa: S101 - it answered the demonstration
        yield House(running.url, told, environment)
    finally:
        kantis(environment, "stop")


def mails_to(page: Page, house: House, *, recipient: str = "", subject: str = "") -> list[int]:
    """Return the numbers of the mails to somebody, or with words in their subject, the newest first."""
    answer = page.request.get(
        f"{house.url}/mailbox/api/mails", params={"to": recipient, "limit": 500}
    )
    return [mail["id"] for mail in answer.json()["items"] if subject in mail["subject"]]


def _form(page: Page, house: House) -> None:
    page.goto(f"{house.url}{FORM}?lang=nb")
    page.fill("[name=full_name]", "Ane Nordmann")
    page.fill("[name=preferred_name]", "Ane")
    page.fill("[name=email]", "ane@eksempel.test")
    page.check("[name=consent]")


def _confirmation(page: Page, house: House) -> None:
    page.goto(f"{house.url}/mailbox/{mails_to(page, house, recipient=house.told['lead'])[-1]}")


def _campaign(page: Page, house: House) -> None:
    page.goto(
        f"{house.url}/mailbox/{mails_to(page, house, subject='Fjellsko Rondane til turen')[0]}"
    )


def _response(page: Page, house: House) -> None:
    _campaign(page, house)
    link = page.frame_locator("iframe").locator("a.button").get_attribute("href")
    if link is None:
        message = "the campaign's mail has no button"
        raise RuntimeError(message)
    page.goto(link)


def _report(page: Page, house: House) -> None:
    page.goto(f"{house.url}{house.told['report']}?lang=en")


def _explorer(page: Page, house: House) -> None:
    page.goto(f"{house.url}/docs")
    page.locator(".opblock-tag", has_text="orders: responses").click()
    page.locator(".opblock").first.wait_for()
    page.locator(".opblock-tag", has_text="orders: responses").scroll_into_view_if_needed()


def _sign_in(page: Page, house: House) -> None:
    address = f"picture.{time.monotonic_ns()}@eksempel.test"
    page.goto(
        house.run("user", "add", address, "--name", "Kari", "--role", "administrator").strip()
    )
    page.fill("[name=password]", "four plain words here")
    page.locator("main button").click()


def _console(page: Page, house: House) -> None:
    _sign_in(page, house)
    page.locator("main a[href^='/console/campaigns/']").first.click()


def _console_report(page: Page, house: House) -> None:
    _console(page, house)
    page.locator("a[href^='/console/reports/']").click()
    page.locator(".plot canvas").first.wait_for()


@dataclass(frozen=True)
class Shot:
    """One picture: how to get there, and how much of the page it shows."""

    visit: Callable[[Page, House], None]
    height: int


SHOTS = {
    "form": Shot(_form, 720),
    "confirmation": Shot(_confirmation, 760),
    "campaign": Shot(_campaign, 820),
    "response": Shot(_response, 720),
    "report": Shot(_report, 1120),
    "explorer": Shot(_explorer, 900),
    "console": Shot(_console, 900),
    "console-report": Shot(_console_report, 900),
}


def take(browser: Browser, house: House, name: str) -> Path:
    """Take one picture. Raises when it is larger than a README should carry."""
    shot = SHOTS[name]
    page = browser.new_page(
        viewport={"width": WIDTH, "height": shot.height}, color_scheme="light", locale="nb-NO"
    )
    shot.visit(page, house)
    page.wait_for_load_state("networkidle")
    file = PICTURES / f"{name}.png"
    page.screenshot(path=file, animations="disabled", caret="hide")
    page.close()
    if file.stat().st_size > MAX_BYTES:
        message = f"{file.name} has {file.stat().st_size} bytes, {MAX_BYTES} at most"
        raise RuntimeError(message)
    return file


def main(names: list[str]) -> int:
    """Take the pictures with these names, or all."""
    unknown = sorted(set(names) - SHOTS.keys())
    if unknown:
        print(f"There is no picture {', '.join(unknown)}; there are {', '.join(SHOTS)}")
        return 1
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_house(Path(folder), people=2_000) as house,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**browser_arguments())
        for name in names or SHOTS:
            file = take(browser, house, name)
            print(f"{re.sub(r'^.*/docs/', 'docs/', str(file))}  {file.stat().st_size // 1000} kB")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
