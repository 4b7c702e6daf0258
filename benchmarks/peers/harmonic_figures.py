"""pyharmonics, run in an environment of its own: its answers on frozen bars, and its seconds.

It asks pip for yfinance, alpaca-trade-api, binance-connector and kaleido, none of which a search needs,
so it is installed without its dependencies and is no dependency of this project. Its answers are kept
in ``tests/oracles/pyharmonics_answers.json``; ``python -m benchmarks.peers.harmonic_figures`` makes the
file again.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from .environments import FOLDER, SCRIPTS, environment, output
from .frozen_bars import figure_bars

VERSION: Final = "1.5.3"
REQUIREMENTS: Final = (
    f"pyharmonics=={VERSION}",
    "ta==0.11.0",
    "numpy==2.4.6",
    "pandas==3.0.3",
    "python-dateutil",
    "six",
    "plotly==6.5.0",
    "narwhals",
    "packaging",
)
ANSWERS: Final = Path("tests/oracles/pyharmonics_answers.json")
ORDER, TOLERANCE = 3, 0.03
SEEDS, FIGURES = range(12), 18


def found_by_pyharmonics(
    markets: Iterable[Mapping[str, np.ndarray]], order: int, tolerance: float
) -> list[dict[str, Any]]:
    """For each market the seconds of the search and its figures: name, side, rows of the points.

    Raises OSError or CalledProcessError where it cannot be installed or run.
    """
    python = environment(FOLDER / "pyharmonics", REQUIREMENTS, "--no-deps")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, columns in enumerate(markets):
            files.append(str(Path(folder) / f"{number}.npz"))
            np.savez(files[-1], **columns)
        script = str(SCRIPTS / "run_pyharmonics.py")
        printed = output([str(python), "-I", script, str(order), str(tolerance), *files])
    said: dict[str, Any] = json.loads(printed.splitlines()[-1])
    if said["version"] != VERSION:
        raise OSError(f"pyharmonics {said['version']} ran, {VERSION} was asked for")
    answers: list[dict[str, Any]] = said["answers"]
    return answers


def frozen_markets() -> list[dict[str, np.ndarray]]:
    """The markets whose answers are kept."""
    return [figure_bars(seed, FIGURES) for seed in SEEDS]


def digest(markets: Iterable[Mapping[str, np.ndarray]]) -> str:
    """SHA-256 of all bars: answers are those of these bars only."""
    said = hashlib.sha256()
    for columns in markets:
        for name in ("open", "high", "low", "close"):
            said.update(np.ascontiguousarray(columns[name], dtype="<f8").tobytes())
    return said.hexdigest()


def main() -> None:
    """Entry point of ``python -m benchmarks.peers.harmonic_figures``."""
    markets = frozen_markets()
    answers = found_by_pyharmonics(markets, ORDER, TOLERANCE)
    rows = [[json.dumps(figure) for figure in answer["figures"]] for answer in answers]
    # One figure a line, so that a change of an answer is a line of a diff.
    shown = ",\n".join("  [\n    " + ",\n    ".join(own) + "\n  ]" for own in rows)
    head = {"pyharmonics": VERSION, "order": ORDER, "tolerance": TOLERANCE, "bars": digest(markets)}
    ANSWERS.write_text(json.dumps(head)[:-1] + ', "markets": [\n' + shown + "\n]}\n")
    print(f"written: {ANSWERS} ({sum(len(own) for own in rows)} figures)")


if __name__ == "__main__":
    main()
