"""pyharmonics on files of bars: prints the figures that it finds and its seconds as JSON.

Runs in an environment of its own, which has neither this project nor numba, nor the market data
services and picture printers that pyharmonics asks pip for: searching needs none of them.
"""

import json
import sys
import time
from importlib import metadata

import numpy as np
import pandas as pd


def main() -> None:
    """Order of the peaks, tolerance, files of columns; one JSON object with an answer for each file."""
    from pyharmonics import OHLCTechnicals
    from pyharmonics.search import HarmonicSearch

    order, tolerance, *files = sys.argv[1:]
    answers = []
    for file in files:
        columns = np.load(file)
        frame = pd.DataFrame({name: columns[name] for name in ("open", "high", "low", "close")})
        frame["volume"] = 1.0
        started = time.perf_counter()
        technicals = OHLCTechnicals(frame, "SIM", "1h", peak_spacing=int(order))
        search = HarmonicSearch(technicals, fib_tolerance=float(tolerance))
        search.search()
        seconds = time.perf_counter() - started
        found = search.get_patterns()
        figures = [
            [pattern.name, 1 if pattern.bullish else -1, *(int(row) for row in pattern.x)]
            for family in (search.XABCD, search.ABCD)
            for pattern in found[family]
        ]
        answers.append({"seconds": seconds, "figures": sorted(figures, key=str)})
    print(json.dumps({"version": metadata.version("pyharmonics"), "answers": answers}))


if __name__ == "__main__":
    main()
