"""How long `kantis up` takes until everything is ready, and how much memory it holds, PostgreSQL not counted.

The first start makes databases and migrates; the warm ones find everything made. Goals: ready within 5 s warm, at most
400 MB.

    python benchmarks/startup.py [WARM_STARTS]
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from time import perf_counter


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    out = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout
    return int(out) / 1024


def start(folder: Path) -> tuple[float, float]:
    """Start, wait until ready, measure, stop; return seconds and megabytes."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KANTIS_")}
    environment["KANTIS_DATA_DIR"] = str(folder)
    note = folder / "runtime.json"
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "kantis", "up"],
        env=environment,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        while True:
            if (
                note.exists()
                and (running := json.loads(note.read_text(encoding="utf-8")))["pid"] == process.pid
            ):
                with urllib.request.urlopen(f"{running['url']}/readyz", timeout=10) as answer:  # noqa: S310 - our own
                    if answer.status == 200:
                        break
            threading.Event().wait(0.01)
        seconds = perf_counter() - started
        return seconds, resident_mb(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main(warm_starts: int) -> None:
    """Start cold once, then warm."""
    with tempfile.TemporaryDirectory(prefix="kantis-bench-") as folder:
        cold, _ = start(Path(folder))
        warm = [start(Path(folder)) for _ in range(warm_starts)]
    seconds, megabytes = (statistics.median(column) for column in zip(*warm, strict=True))
    print(f"cold start {cold:5.1f} s")
    print(f"warm start {seconds:5.1f} s   {seconds / 5:4.2f} of the 5 s allowed")
    print(f"memory     {megabytes:5.0f} MB  {megabytes / 400:4.2f} of the 400 MB allowed")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
