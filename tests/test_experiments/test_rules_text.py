"""The rules of a run in words."""

from experiments import config_of
from experiments.config_file import resolved
from experiments.rules_text import rules_text


def test_rules_are_told_in_words() -> None:
    config = config_of(
        {
            "data": {"simulated": {}},
            "entry": {"kind": "limit", "offset_atr": 0.5},
            "costs": {"impact": 0.4, "participation": 0.1, "borrow_annual": 0.05, "maker_fee_bps": 1},
            "exits": {
                "stop_frac": 0.02, "trail_atr": 3, "trail_bars": 10, "break_even_r": 1,
                "ladder": [[1, 0.5]], "take_profit_r": 3, "take_profit_is_limit": True,
                "time_stop_bars": 24, "time_stop_max_r": 0.5, "limit_bars": 6,
            },
            "sizing": {"method": "risk", "risk_frac": 0.02, "kelly": 0.5},
            "limits": {"max_gross": 3, "max_heat": 0.06, "drawdown_start": 0.1, "drawdown_halt": 0.3},
            "margin": {"mode": "isolated", "leverage": 5},
        }
    )  # fmt: skip
    text = " | ".join(f"{name}: {how}" for name, how in rules_text(resolved(config)))
    for words in (
        "limit order 0.5 average true ranges from the close, for 6 bars",
        "maker 1 bps",
        "square-root impact 0.4",
        "at most 10.0% of a bar's volume",
        "stop: 2.00% of the price; trailing 3 average true ranges behind the best price of 10 bars",
        "break even from 1 R",
        "take profit: 3 R; 50% at 1 R; resting limits",
        "24 bars, when the open result is below 0.5 R",
        "as much as loses 2.00% of equity at the stop; at most 0.5 of the shrunk Kelly fraction",
        "at most: gross exposure of 3 × equity; 6.00% of equity lost if every stop were hit",
        "head counts when: its probability ≥ 0.6 and its confidence ≥ 0.7",
        "4 heads agree, their weight ≥ 0.35, signed score ≥ -1, weighted mean confidence with its "
        "bonuses ≥ 0.7, weighted mean probability ≥ 0.6",
        "orders shrink from 10.0% to nothing at 30.0%",
        "linear, isolated, leverage 5",
        "borrowing: 5.00% a year on shorts",
    ):
        assert words in text, words
    plain = rules_text(resolved(config_of({"data": {"simulated": {}}})))
    assert ("margin", "linear, cross; maintenance from 0.50%, liquidation fee 50 bps") in plain
    assert ("enters by", "market order at the next open") in plain
    of_file = dict(rules_text(resolved(config_of({"data": {"simulated": {}}, "targets": "t.csv"}))))
    assert of_file["enters by"].startswith("the orders that the file of targets states: market at")
    assert of_file["enters by"].endswith("a limit or stop that rests until it is replaced")
