"""Letters: pages per second and core, beside the typesetter on a constant page of the same layout in the same run.

Each letter has a name, an address, text, a QR code, two bar codes and a return mark of its own; the constant page is one
letter's data, over and over. In turns, by processor time. Then a batch of 10,000 through the whole press, from rows to
files, with its peak memory: at least 300 pages a second and core, and memory that does not grow with the batch.

    python benchmarks/letters.py [LETTERS]
"""

import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

from kantis_contracts.values import Language
from messaging_svc.letters import files
from messaging_svc.letters.pdf import Joined
from messaging_svc.letters.sheets import Address, Sender, Sheet, return_code
from messaging_svc.letters.typeset import CHUNK, STANDARD, compiler, data_of, typeset
from messaging_svc.letters.windows import Window, window_for
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.rendering import Compiled

LETTERS = 10_000
ROUNDS = 9
LEAST_PAGES = 300
DAY = date(2026, 3, 2)
SENDER = Sender("Lys AS", "Storgata 1, 0155 Oslo", "NO", "post@lys.example", "1234", 0)
TEXT = """{{ greeting() }},

Det er {{ preferred_name }} vi skriver til, fordi du har kjøpt **lamper** hos oss før. Nå har vi en
ny: **{{ offer_name }}** til {{ offer_price }}. Den lyser lenge og bruker lite strøm.

Slik svarer du:

- skann koden øverst på arket
- eller gå til {{ response_url }}
- eller skriv koden {{ response_code }} i et brev til oss

Du kan sende lampen tilbake innen tretti dager, og da betaler vi porto.

Vennlig hilsen
{{ company }}
"""


def make_sheets() -> Callable[[int, int], list[Sheet]]:
    """Return what makes the letters from one number up to another."""
    ready = compile_language(LanguageSource(subject="En lampe til deg", letter=TEXT), Language.NB)
    compiled = Compiled({Language.NB: ready})

    def one(n: int) -> Sheet:
        code = f"C0DE{n:08d}"
        url = f"https://kantis.example/r/{code}"
        fields = sample_fields(
            compiled, Language.NB, preferred_name=f"Kari {n}", offer_name="Lampe Æø"
        )
        letter = compiled.render_letter(
            Language.NB, fields | {"response_url": url, "response_code": code}
        )
        return Sheet(
            position=n,
            address=Address(
                f"Kari Nordmann {n}", f"Storgata {n}", f"{n % 10_000:04d}", "OSLO", "NO"
            ),
            language=Language.NB,
            letter=letter,
            response_code=code,
            response_url=url,
            return_code=return_code(SENDER, "NO", 1, n),
            is_marketing=True,
        )

    return lambda first, end: [one(n) for n in range(first, end)]


def constant(sheet: Sheet, window: Window) -> Callable[[], None]:
    """Return what typesets one page's data as often as a chunk has letters, from nothing each time."""
    data = data_of([sheet] * CHUNK, SENDER, window, DAY)
    turn = 0

    def run() -> None:
        nonlocal turn
        turn += 1
        # What has been set once is remembered: a word that differs by turn keeps this from measuring memory.
        changed = {"data": data["data"].replace("Kari Nordmann", f"Kari Nordmann{turn}")}
        press = compiler()
        press.compile(format="pdf", sys_inputs=changed, pdf_standards=STANDARD, pdf_tags=False)

    return run


def timed(work: Callable[[], object]) -> float:
    """Return the processor time that something takes."""
    begin = process_time()
    work()
    return process_time() - begin


def peak_mb() -> int:
    """Return the most memory that the process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def print_all(letters: int, folder: Path, window: Window) -> tuple[int, float, list[int]]:
    """Print letters into files; return pages, processor seconds, and the peak memory after each tenth."""
    make, peaks, begin = make_sheets(), [], process_time()
    pdf, manifest = folder / "letters.pdf", folder / "manifest.csv"
    with pdf.open("wb") as file, manifest.open("w", encoding="utf-8-sig", newline="") as csv:
        joined, table = Joined(file), files.Manifest(csv)
        for first in range(1, letters + 1, CHUNK):
            sheets = make(first, min(first + CHUNK, letters + 1))
            made, pages = typeset(sheets, SENDER, window, DAY)
            joined.add(made)
            for sheet, count in zip(sheets, pages, strict=True):
                table.add((sheet.position, *sheet.address.lines("NO", Language.NB), count))
            if (first - 1) % max(CHUNK, letters // 10) < CHUNK:
                peaks.append(peak_mb())
        joined.close()
    return joined.pages, process_time() - begin, peaks


def main() -> None:
    """Measure and judge."""
    letters = int(sys.argv[1]) if len(sys.argv) > 1 else LETTERS
    window = window_for("NO", DAY)
    if window is None:
        message = "no window for Norway"
        raise LookupError(message)
    make = make_sheets()
    same = constant(make(1, 2)[0], window)
    ours, limit = [], []
    for turn in range(ROUNDS + 2):
        first = 1_000_000 + turn * CHUNK
        spent = timed(lambda first=first: typeset(make(first, first + CHUNK), SENDER, window, DAY))  # type: ignore[misc]  # mypy does not infer a default
        plain = timed(same)
        if turn > 1:  # the first two load fonts
            ours.append(CHUNK / spent)
            limit.append(CHUNK / plain)
    mine, most = statistics.median(ours), statistics.median(limit)
    print(f"a constant page    {most:7.0f} pages/s and core")
    print(f"personal letters   {mine:7.0f} pages/s and core   {mine / most:.2f} of it")
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        pages, seconds, peaks = print_all(letters, Path(folder), window)
        size = (Path(folder) / "letters.pdf").stat().st_size
    rate = pages / seconds
    print(
        f"{letters:,} letters   {rate:7.0f} pages/s and core   {pages:,} pages, {size / 2**20:.0f} MiB,"
        f" {perf_counter() - began:.0f} s"
    )
    print(
        f"peak memory        {peaks[0]} MB after the first letters, {peaks[len(peaks) // 3]} after a third, {peaks[-1]} at the end"
    )
    is_good = rate >= LEAST_PAGES and peaks[-1] < 1.25 * peaks[len(peaks) // 3]
    print("good" if is_good else f"NOT GOOD: wanted {LEAST_PAGES} pages/s and flat memory")
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
