"""The command of the study: reads the files, finds, judges, writes the page and its picture."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from engine import Bars

from ...statistics.clustered_means import REPETITIONS
from .evidence import judged, wrong_families
from .measured import Tally, studied_detections
from .page import Calibration, page
from .picture import forest
from .samples import SAMPLES, bars_of, mirrored_walk

OUT: Final = Path("docs/event-evidence.md")
PICTURE_SAMPLE: Final = "universe"
PICTURE_HOURS: Final = 24
WALK_SEED: Final = 1_000
NULL_SEED: Final = 50_000
NULL_REPETITIONS: Final = 999
WORKERS: Final = 2


def walk_seed(number: int) -> int:
    """The seed of the walk of the symbol with this number in its sample."""
    return WALK_SEED + number


def _calibration(bars: Bars, walks: int) -> Calibration:
    seeds = [list(range(NULL_SEED + first, NULL_SEED + walks, WORKERS)) for first in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(wrong_families, bars, part, repetitions=NULL_REPETITIONS)
            for part in seeds
            if part
        ]
        answers = [job.result() for job in jobs]
    groups = max((groups for _, groups in answers), default=0)
    return Calibration(walks, sum(wrong for wrong, _ in answers), groups)


def main() -> None:
    """Entry point of ``python -m experiments.studies.event_evidence``."""
    parser = argparse.ArgumentParser(description="What followed events, with joint intervals.")
    parser.add_argument("--data", type=Path, required=True, help="folder of real market data")
    parser.add_argument(
        "--out", type=Path, default=OUT, help="the page; its picture lies beside it"
    )
    parser.add_argument("--walks", type=int, default=100, help="walks of the calibration")
    arguments = parser.parse_args()
    detections = studied_detections()
    tallies, walked = {}, {}
    bitcoin: Bars | None = None
    for sample in SAMPLES:
        tallies[sample.name], walked[sample.name] = Tally(), Tally()
        for number, bars in enumerate(bars_of(arguments.data, sample)):
            bitcoin = bitcoin or bars
            tallies[sample.name].add(bars, detections)
            walk = mirrored_walk(bars, walk_seed(number))
            walked[sample.name].add(walk, detections, returns=False)
            print(f"{sample.name} {bars.symbol}: {len(bars):,} bars", flush=True)
    evidence = judged(tallies, repetitions=REPETITIONS)
    calibration = Calibration(0, 0, 0)
    if bitcoin is not None and arguments.walks:
        calibration = _calibration(bitcoin, arguments.walks)
    picture = arguments.out.with_suffix(".svg")
    picture.write_text(forest(evidence, PICTURE_SAMPLE, PICTURE_HOURS), encoding="utf-8")
    text = page(evidence, tallies, walked, calibration, picture.name)
    arguments.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
