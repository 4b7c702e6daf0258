"""What stands above the numbers: the headline in words, and the warnings."""

from collections.abc import Mapping
from typing import Any

import pytest

from experiments import RunRecord, RunResult, load_run
from experiments.verdict import finding, headline, verdict


@pytest.fixture(scope="module")
def record(result: RunResult) -> RunRecord:
    assert result.run_dir is not None
    return load_run(result.run_dir)


def told(content: Mapping[str, Any], interval: tuple[float, float] | None, **changed: Any) -> str:
    """The headline of a run of 2.1 years that lost 12.3 % where holding made 40.2 %."""
    metrics = {**content["metrics"], "total_return": -0.123, "sharpe": -0.41}
    held = {**content["benchmark_metrics"], "total_return": 0.402}
    values = {
        "metrics": metrics, "benchmark_metrics": held, "bars": int(24 * 365 * 2.1), "n_trades": 500,
        "ruined_bar": -1,
    }  # fmt: skip
    return headline({**content, **values, **changed}, interval)


def test_one_sentence_says_it_all(record: RunRecord) -> None:
    content = record.content
    assert told(content, (-1.2, 0.4)) == (
        "Lost 12.30% in 2.1 years where buying and holding made 40.20%; Sharpe -0.41, 95 % interval -1.20 "
        "to 0.40: no evidence of anything, chance alone gives as much."
    )
    assert told(content, (-1.2, -0.1)).endswith(": evidence that these rules lose.")
    better = {**content["metrics"], "total_return": 1.5, "sharpe": 1.2}
    assert told(content, (0.2, 2.1), metrics=better).startswith("Made 150.00% in 2.1 years where")
    assert told(content, (0.2, 2.1), metrics=better).endswith(": above zero on this one history.")
    chosen = {**content["config"], "origin": {"sweep": "s-1", "trial": 3}}
    assert "chosen as one of many" in told(content, (0.2, 2.1), metrics=better, config=chosen)


def test_a_headline_claims_nothing_without_ground(record: RunRecord) -> None:
    content = record.content
    undefined = {**content["metrics"], "total_return": 0.0, "sharpe": None}
    assert told(content, None, n_trades=0, metrics=undefined) == (
        "Never traded in 2.1 years, where buying and holding made 40.20%: there is nothing to judge."
    )
    assert told(content, (0.3, 2.0), n_trades=29).endswith(
        ": 29 trades are no evidence of anything."
    )
    assert "its Sharpe ratio is undefined: no evidence" in told(content, None, metrics=undefined)
    assert "Made nothing in 2.1 years" in told(content, None, metrics=undefined)
    assert told(content, None, bars=30).startswith("Lost 12.30% in 30 bars where")
    assert told(content, None, bars=1).startswith("Lost 12.30% in 1 bar where")
    assert "too short for an interval: no evidence" in told(content, None, bars=50)
    assert told(content, (-3.0, -1.0), ruined_bar=5) == (
        "Was ruined: it lost everything in 2.1 years where buying and holding made 40.20%."
    )
    assert told(content, (0.3, 2.0), n_trades=1).endswith(": 1 trade is no evidence of anything.")
    inverse = {
        **content["config"],
        "margin": {**content["config"]["margin"], "contract": "inverse"},
    }
    assert "where keeping the coins made" in told(content, None, config=inverse)


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (None, "unknown"),
        ((-1, 1), "nothing"),
        ((0.1, 1), "gain"),
        ((-2, -0.1), "loss"),
        ((0, 1), "nothing"),
    ],
)
def test_an_interval_finds(record: RunRecord, interval: Any, expected: str) -> None:
    assert finding({**record.content, "n_trades": 50}, interval) == expected
    assert finding({**record.content, "n_trades": 0}, interval) == "unknown"


def test_verdict_says_no_trades_and_why(record: RunRecord) -> None:
    content = {**record.content, "n_trades": 0}
    lines = verdict(content)
    assert any(line.startswith("NO TRADES: the consensus stood on ") for line in lines)
    assert any("HARDLY ANY TRADES (3)" in line for line in verdict({**content, "n_trades": 3}))
    quiet = {"ambiguous_exits": 0, "liquidations": 0, "ruined_bar": -1}
    many = verdict({**content, **quiet, "n_trades": 1000, "simulated": False})
    assert len(many) == 1
    assert any("RUINED" in line for line in verdict({**content, "ruined_bar": 5}))


def test_verdict_counts_what_the_bars_leave_open(record: RunRecord) -> None:
    content = {**record.content, "ambiguous_exits": 4, "n_trades": 90, "liquidations": 2}
    lines = " ".join(verdict(content))
    assert "AMBIGUOUS: 4 of 90 exits ambiguous" in lines
    assert "finer bars (data.fine_timeframe) would tell" in lines
    assert "LIQUIDATED: 2 fills" in lines
    lines = " ".join(verdict({**content, "fine_timeframe": "1m"}))
    assert "their 1m bar reached stop and target alike" in lines
    assert "still finer bars would tell" in lines


def warned(content: Mapping[str, Any], **metrics: float) -> str:
    """The line about few trades of a run of targets."""
    changed = {
        **content, "n_trades": 3, "ruined_bar": -1, "decisions_from": "t.csv",
        "metrics": {**content["metrics"], **metrics},
    }  # fmt: skip
    return next(line for line in verdict(changed) if line.startswith("HARDLY ANY TRADES (3): "))


def test_few_trades_of_targets_are_not_called_few_positions(record: RunRecord) -> None:
    idle = warned(record.content, exposure=0.002, orders_rejected=0)
    assert "hardly any position" in idle
    held = warned(record.content, exposure=0.93, orders_rejected=0)
    assert "hardly any position" not in held
    assert "93.00% of the closes have one" in held
    refused = warned(record.content, exposure=0.002, orders_rejected=17)
    assert "17 orders were rejected" in refused


def test_most_bars_are_not_claimed(record: RunRecord) -> None:
    firing = {
        **record.content["firing"][0],
        "bars": 400,
        "decisions": 1,
        "gates": {"stands": 100, "weight": 140, "quorum": 100, "tie": 60},
    }
    few = {**record.content, "n_trades": 3, "firing": [firing]}
    text = " ".join(verdict(few))
    assert "turned once; the gate that stopped the most bars first: weight (140 bars)." in text
    assert "most bars (" not in text
    open_ = {**firing, "gates": {"stands": 400, "weight": 0}, "decisions": 2}
    text = " ".join(verdict({**few, "firing": [open_]}))
    assert "on 400 of 400 bars and turned 2 times." in text
    assert "stopped" not in text
