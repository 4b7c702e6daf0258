"""Do heads find what was planted, and nothing where nothing is?

    python -m experiments.studies.planted_heads --out docs/planted-heads.md

Columns of a simulated market announce a drift; heads that read these columns must vote with it. Sizes,
statistic and required power are fixed in ``planted_votes.py`` and on the page, before any result was
looked at; ``--markets 0 --planted 0`` writes the page without results.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from ..validation.verdict import LEVEL
from .calibration import band
from .planted_votes import (
    DAYS,
    DRIFT,
    LEAST_SHIFT_DAYS,
    NULL_MARKETS,
    OUTCOME_HOURS,
    PLANTED_MARKETS,
    PLANTS,
    SHIFTS,
    VOLATILITY_HOURS,
    WARM_UP_DAYS,
    CaseResult,
    Found,
    Plant,
    case_result,
    cases,
)

READING: Final = "\n## What it means\n"
REQUIRED_POWER: Final = 0.8
"""Share of the markets with the largest size of each plant in which each of its heads must find it."""


def design() -> str:
    """What was decided before any result was looked at."""
    plants = "\n".join(
        f"| {plant.column} | {', '.join(f'{edge:g}' for edge in plant.edges_bps)} | "
        f"{plant.horizon_hours} | {', '.join(plant.heads)} |"
        for plant in PLANTS
    )
    return f"""# Planted heads: do heads find what was planted, and nothing where nothing is?

Made by `python -m experiments.studies.planted_heads --out docs/planted-heads.md`.

## Decided beforehand

**Market.** One simulated symbol (`docs/simulated-market.md`), {DAYS} days of hours, every market with a
seed of its own. Heads see spot bars and the series of the perpetual. Judged are the hours after the first
{WARM_UP_DAYS} days, missing bars left out.

**Voters.** The heads volume, sentiment and crypto_metrics with their defaults. Beside each head the
components of its score, which vote the side of 50 on which they lie, and as a reference the true drift
of the next hour, which nobody in the market knows: as much as there is to be found.

**Statistic.** Mean of vote times outcome over the hours with a vote. The outcome is the simple return
of the perpetual over the next {OUTCOME_HOURS} hours in units of its deviation, the root mean square of
the last {VOLATILITY_HOURS} hourly returns. The simple return, not its logarithm, is what a martingale
leaves at 0 whatever is known; the deviation is known at the vote, so that dividing by it keeps that and
weighs calm and wild weeks alike.

**Test.** One-sided, the vote's side paying. The outcomes are shifted against the votes round the circle,
{SHIFTS} times, by {LEAST_SHIFT_DAYS} days or more both ways; p = (1 + shifts that reach the statistic) /
(1 + shifts). Level {LEVEL:g}.

**Nothing planted.** {NULL_MARKETS} markets. Of uniform p values {band(NULL_MARKETS)[0]} to
{band(NULL_MARKETS)[1]} would be at or below {LEVEL:g} in 95 of 100 studies; each of the three heads must
be within.

**Planted.** {PLANTED_MARKETS} markets for each column and size. The sign is the one that the reading of
the heads pays: they follow taker flow, and fade funding and crowds. Sizes are basis points an hour for
each standard deviation of the column, in each hour of the horizon. Each head named must reach
p ≤ {LEVEL:g} in {REQUIRED_POWER:.0%} of the markets of the largest size; smaller ones are reported.

| column | sizes, bps | horizon, hours | heads that must find it |
|---|---|---|---|
{plants}

**Why these sizes.** A vote on a share *f* of 13,200 judged hours, with an hourly deviation of 71 basis
points, knows its mean hourly return to 71 / √(13,200 f) basis points: 0.7 for a head that votes on
three quarters of the hours, 2.5 for one that votes on 6 %. At the largest size the drift has a deviation of
about 9 (taker flow) or 16 (funding, long/short ratio) basis points an hour; a head of the first kind
finds it in four of five markets if its votes carry a fifth of it, one of the second kind if they carry two
fifths. Funding and ratios stay where they are for days and weeks, so that beyond some size more of it adds
little: then it counts how far votes follow the column. These are drifts of a size that no market has; the
question is whether heads read their column, not whether real columns pay.

## Added after the first results

All of the above held at the first run: every head within the band where nothing is planted, every head
with 88 % or more at the largest size. But a drift that lasts also shows in prices, and components that
follow prices found it there: those of the volume head found funding, which they never read. So each head
votes a second time, on the **twin**: the market of the same seed in which nothing is planted. Its columns
are the same and its prices lack the drift, so that votes can only know of the drift from the column. They
are judged by the outcomes of the planted market, with the same test and the same requirement.
"""


def page(results: Sequence[CaseResult]) -> str:
    """The design, and below it what was found."""
    if not results:
        return design()
    null = [one for one in results if not one.case.column]
    voters = [(found.head, found.component) for found in results[0].found if not found.is_twin]
    heads = [(head, component) for head, component in voters if head and not component]
    parts = [(head, component) for head, component in voters if component != DRIFT and component]
    return "\n".join(
        (
            design(),
            "## Where nothing predicts anything\n",
            *_null_lines(null, heads),
            "## Where something does\n",
            *_power_lines(results),
            "## Components\n",
            *_component_lines(results, parts),
            "",
        )
    )


def _of(
    results: Sequence[CaseResult], voter: tuple[str, str], *, is_twin: bool = False
) -> list[Found]:
    return [
        found
        for one in results
        for found in one.found
        if (found.head, found.component, found.is_twin) == (*voter, is_twin)
    ]


def _power(found: Sequence[Found]) -> float:
    return float(np.mean([one.p_value <= LEVEL for one in found]))


def _null_lines(null: Sequence[CaseResult], voters: Sequence[tuple[str, str]]) -> Iterator[str]:
    low, high = band(len(null))
    yield f"{len(null)} markets; {low} to {high} p values at or below {LEVEL:g} are the band.\n"
    yield f"| head | votes on | p ≤ {LEVEL:g} | within | mean p | mean of vote times return, bps |"
    yield "|---|---|---|---|---|---|"
    for voter in voters:
        found = _of(null, voter)
        p_values = np.array([one.p_value for one in found])
        means = np.array([one.mean_bps for one in found])
        count = int((p_values <= LEVEL).sum())
        error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
        yield (
            f"| {voter[0]} | {np.mean([one.share for one in found]):.1%} | {count} "
            f"({count / len(found):.1%}) | {'yes' if low <= count <= high else '**no**'} | "
            f"{p_values.mean():.3f} | {means.mean():+.1f} ± {error:.1f} |"
        )
    yield ""


def _power_lines(results: Sequence[CaseResult]) -> Iterator[str]:
    yield f"Shares of the markets with p ≤ {LEVEL:g}; in brackets the mean of vote times return over"
    yield f"{OUTCOME_HOURS} hours. The drift is the deviation of what was planted.\n"
    yield "| column | size | drift, bps an hour | voter | votes on | p ≤ 0.05 | required |"
    yield "|---|---|---|---|---|---|---|"
    for plant, edge, own in _planted(results):
        drift = np.mean([one.drift_bps for one in own])
        voters = [(head, "", is_twin) for head in plant.heads for is_twin in (False, True)]
        for head, component, is_twin in (*voters, ("", DRIFT, False)):
            found = _of(own, (head, component), is_twin=is_twin)
            required = ""
            if edge == plant.edges_bps[-1] and head:
                required = "reached" if _power(found) >= REQUIRED_POWER else "**missed**"
            yield (
                f"| {plant.column} | {edge:g} | {drift:.1f} | "
                f"{head or component}{' on the twin' if is_twin else ''} | "
                f"{np.mean([one.share for one in found]):.1%} | {_power(found):.0%} "
                f"({np.mean([one.mean_bps for one in found]):+.0f} bps) | {required} |"
            )
    yield ""


def _component_lines(
    results: Sequence[CaseResult], voters: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """How often each component by itself finds the largest size of each plant."""
    yield "Each component by itself: the share of hours on which it takes a side where nothing is"
    yield f"planted, and the share of the markets of the largest size in which its p ≤ {LEVEL:g}: on the"
    yield "planted market, and on the twin, which shows what reads the column itself.\n"
    null = [one for one in results if not one.case.column]
    largest = [
        (plant, own) for plant, edge, own in _planted(results) if edge == plant.edges_bps[-1]
    ]
    yield f"| component | takes a side | {' | '.join(plant.column for plant, _ in largest)} |"
    yield "|---|---|" + "---|" * len(largest)
    for voter in voters:
        sided = float(np.mean([one.share for one in _of(null or results, voter)]))
        if sided == 0.0:
            continue
        cells = (
            f"{_power(_of(own, voter)):.0%}, twin {_power(_of(own, voter, is_twin=True)):.0%}"
            for _, own in largest
        )
        yield f"| {voter[0]}: {voter[1]} | {sided:.0%} | {' | '.join(cells)} |"


def _planted(results: Sequence[CaseResult]) -> Iterator[tuple[Plant, float, list[CaseResult]]]:
    for plant in PLANTS:
        for edge in plant.edges_bps:
            own = [
                one
                for one in results
                if (one.case.column, one.case.edge_bps) == (plant.column, edge)
            ]
            if own:
                yield plant, edge, own


def kept_reading(path: Path | None) -> str:
    """What somebody wrote under ``READING`` on the page at ``path``: it outlives the results."""
    if path is None or not path.exists():
        return ""
    _, heading, text = path.read_text(encoding="utf-8").partition(READING)
    return heading + text


def main() -> None:
    """Entry point of ``python -m experiments.studies.planted_heads``."""
    parser = argparse.ArgumentParser(description="Plant edges and see whether heads find them.")
    parser.add_argument("--markets", type=int, default=NULL_MARKETS, help="null markets")
    parser.add_argument(
        "--planted", type=int, default=PLANTED_MARKETS, help="markets of each column and size"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--results", type=Path, help="write each result there, as JSON lines")
    parser.add_argument("--out", type=Path, help="write the page to this file")
    arguments = parser.parse_args()
    results: list[CaseResult] = []
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        for result in pool.map(case_result, cases(arguments.markets, arguments.planted)):
            results.append(result)
            if arguments.results is not None:
                with arguments.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
    text = page(results) + kept_reading(arguments.out)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
