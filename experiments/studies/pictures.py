"""The pictures of the README: ``python -m experiments.studies.pictures`` draws them with Chromium.

A simulated market in which nothing predicts anything, a hundred days of one coin: the report says so. Needs
the package playwright (extra ``test``) and a Chromium.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from engine import ConfigError

from ..config_file import load_config
from ..pipeline import run

CONFIG: Final = "experiments/configs/quickstart.yaml"
OVERRIDES: Final = ("data.simulated.symbols=[BTCSIM]", "data.simulated.days=100")
FOLDER: Final = Path("docs/pictures")
WIDTH, HEIGHT = 1400, 960
"""Of the window, in pixels."""
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
SCHEMES: Final[tuple[Literal["light"], Literal["dark"]]] = ("light", "dark")
PARTS: Final = {"report": None, "heads": "#prices"}
"""Pictures by name, and the part of the page that each shows; None is its top."""


def draw(page: Path, folder: Path) -> list[Path]:
    """Write ``report-light.png`` and so on of the report at ``page``; their paths.

    ConfigError where there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise ConfigError(f"there is none of {', '.join(PROGRAMS)} on the PATH; install Chromium")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in SCHEMES:
            tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            tab.goto(page.resolve().as_uri())
            tab.wait_for_selector("html[data-ready=yes]", state="attached")
            for name, part in PARTS.items():
                path = folder / f"{name}-{scheme}.png"
                if part is None:
                    tab.screenshot(path=path)
                else:
                    tab.locator(part).screenshot(path=path)
                written.append(path)
        browser.close()
    return written


def main(folder: Path = FOLDER) -> list[Path]:
    """Run the configuration in a folder that is thrown away, and draw its report."""
    with tempfile.TemporaryDirectory() as scratch:
        result = run(
            load_config(CONFIG, OVERRIDES),
            store=Path(scratch) / "data",
            runs=Path(scratch) / "runs",
        )
        assert result.run_dir is not None
        return draw(result.run_dir / "report.html", folder)


if __name__ == "__main__":
    for picture in main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(picture, picture.stat().st_size)
