"""A page as PDF: printed by a browser of the machine, so that it is the page that people know."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from datasets.durable import replace_file
from engine import ConfigError, DataError

BROWSER_VARIABLE: Final = "NINEFOLD_CHROMIUM"
BROWSERS: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
SECONDS: Final = 120


def browser() -> str:
    """The program of a Chromium: what NINEFOLD_CHROMIUM names, else the first of BROWSERS on the path.

    ConfigError where there is none.
    """
    named = os.environ.get(BROWSER_VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        looked = named or ", ".join(BROWSERS)
        raise ConfigError(
            f"a PDF is printed by Chromium or Chrome, and none was found ({looked}): install one, name "
            f"its program in {BROWSER_VARIABLE}, or open the HTML report and print it"
        )
    return found


def write_pdf(html: str, path: Path) -> Path:
    """Print the page ``html`` to ``path``. ConfigError without a browser, DataError when it fails."""
    program = browser()
    with tempfile.TemporaryDirectory(prefix="ninefold-") as folder:
        source, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_text(html, encoding="utf-8")
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            "--virtual-time-budget=20000",
            f"--print-to-pdf={printed}",
            source.as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Chromium has no sandbox for the superuser; the page is our own and fetches nothing.
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise DataError(
                f"{program}: printed nothing within {SECONDS} s; open the HTML report and print it"
            ) from None
        if done.returncode != 0 or not printed.is_file():
            raise DataError(
                f"{program}: printed nothing (exit code {done.returncode}): "
                f"{done.stderr.strip()[-300:]}; open the HTML report and print it"
            )
        replace_file(path, printed.read_bytes())
    return path
