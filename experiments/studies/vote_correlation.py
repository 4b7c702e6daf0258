"""How much of each other the nine heads say: correlation of their votes on real bars.

    python -m experiments.studies.vote_correlation --data FOLDER

writes ``docs/vote-correlation.md``. Five heads read the same pivots, so that four votes that agree are not
four opinions; the page says how many they are worth.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from datasets import Store
from engine import Float2D, Market
from strategies import HEAD_NAMES, HEADS, VoteMatrix, vote_matrix

from ..statistics.vote_agreement import vote_agreement
from .analysers.sources import configured, import_all
from .event_evidence.samples import SAMPLES, bars_of

COMMAND: Final = "python -m experiments.studies.vote_correlation --data ../shared/data"
OUT: Final = Path("docs/vote-correlation.md")
FILES: Final = (
    "klines/binance_spot_klines12_1h.parquet",
    "alt/fear_greed_daily.parquet",
    "derivatives/funding_8h_history.parquet",
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The heads' votes on one market, or the median over several; fields as in ``VoteAgreement``."""

    name: str
    correlation: Float2D
    agree: Float2D
    voting: np.ndarray
    effective: float
    heads: int


def agreement(name: str, votes: VoteMatrix) -> Agreement:
    """What the votes of one market say of each other."""
    found = vote_agreement(votes.direction, votes.coverage > 0)
    return Agreement(
        name, found.correlation, found.agree, found.voting, found.effective, found.heads
    )


def median(name: str, parts: Sequence[Agreement]) -> Agreement:
    """The middle of several markets, cell by cell."""

    def middle(tables: Sequence[np.ndarray]) -> np.ndarray:
        stacked = np.stack(tables)
        known = ~np.isnan(stacked).all(axis=0)
        out = np.full(stacked.shape[1:], np.nan)
        out[known] = np.nanmedian(stacked[:, known], axis=0)
        return out

    return Agreement(
        name,
        middle([one.correlation for one in parts]),
        middle([one.agree for one in parts]),
        middle([one.voting for one in parts]),
        float(np.median([one.effective for one in parts])),
        int(np.median([one.heads for one in parts])),
    )


def _markets(data: Path) -> Iterator[tuple[str, Market]]:
    """Bitcoin and ether with what the files know of them besides prices."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        import_all(store, data, FILES)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            load = configured(
                f"binance/spot/{symbol}/klines12",
                f"binance/um_perp/{symbol}",
                "unstated/sentiment/crypto",
            )
            yield symbol, load(store)


def study(data: Path) -> list[Agreement]:
    """Bitcoin, ether, and the median of the hourly universe."""
    heads = [head() for head in HEADS]
    parts = [agreement(name, vote_matrix(market, heads)) for name, market in _markets(data)]
    universe = next(sample for sample in SAMPLES if sample.name == "universe")
    coins = [
        agreement(bars.symbol, vote_matrix(Market(bars=bars, series={}), heads))
        for bars in bars_of(data, universe)
    ]
    return [*parts, median(f"universe, median of {len(coins)} coins", coins)]


def page(parts: Sequence[Agreement]) -> str:
    """The page as Markdown."""
    lines = [
        "# How much the heads say of each other",
        "",
        f"Made by `{COMMAND}`. Every head has its defaults. Above the diagonal: Pearson correlation of "
        "the directions (-1, 0, 1) on bars where both heads have data. Below it: share of agreement, in "
        "percent, on the bars on which both vote. On the diagonal: share of bars with a vote, in "
        "percent. The effective number is the exponential of the entropy of the eigenvalues of the "
        "correlation: how many uncorrelated heads would spread as much.",
        "",
    ]
    for one in parts:
        lines += [
            f"## {one.name}",
            "",
            f"{one.heads} heads vote; effective number {one.effective:.1f}.",
            "",
            "| | " + " | ".join(HEAD_NAMES) + " |",
            "|---|" + "---|" * len(HEAD_NAMES),
        ]
        for i, name in enumerate(HEAD_NAMES):
            cells = [_cell(one, i, j) for j in range(len(HEAD_NAMES))]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(one: Agreement, i: int, j: int) -> str:
    if i == j:
        return f"{100 * one.voting[i]:.1f} %"
    value = one.correlation[i, j] if j > i else 100 * one.agree[i, j]
    if np.isnan(value):
        return "–"
    return f"{value:+.2f}" if j > i else f"{value:.0f} %"


def main() -> None:
    """Entry point of ``python -m experiments.studies.vote_correlation``."""
    parser = argparse.ArgumentParser(description="Correlation of the heads' votes on real bars.")
    parser.add_argument("--data", type=Path, required=True, help="folder of real market data")
    parser.add_argument("--out", type=Path, default=OUT, help="the page")
    arguments = parser.parse_args()
    text = page(study(arguments.data))
    arguments.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
