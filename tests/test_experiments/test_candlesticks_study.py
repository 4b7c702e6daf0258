"""The study of candlesticks: its counts are sums, its page shows them."""

import numpy as np

from experiments.studies.candlesticks import counted, page, random_candles, random_counts, table
from indicators.candlestick import PATTERNS
from indicators.candlestick_relaxed import RELAXED


def test_counts_add_up_and_leave_out_bars_that_do_not_exist() -> None:
    columns = {name: column[:3000] for name, column in random_candles(0.0).items()}
    whole = np.ones(3000, dtype=np.bool_)
    first = whole.copy()
    first[1500:] = False
    both = counted("all", columns, first) + counted("all", columns, ~first)
    assert both == counted("all", columns, whole)
    assert both.bars == 3000
    # The first bar has none before it.
    assert both.gapless == 2999
    assert set(both.strict) == set(PATTERNS)
    assert set(both.relaxed) == set(RELAXED)
    assert max(both.strict.values()) < both.any_pattern <= both.bars


def test_the_page_says_how_many_patterns_are_silent_without_gaps() -> None:
    counts = random_counts()
    lines = table(counts).splitlines()
    assert len(lines) == 5 + 61
    assert (
        sum("| 0" in line.split("|", 2)[1] + "|" + line.split("|")[2] for line in lines[5:]) == 35
    )
    assert "35 of the 61 patterns" in page(counts, "a command")
    assert counts[0].gapless == counts[0].bars - 1
    assert 0.3 < counts[1].gapless / counts[1].bars < 0.37
