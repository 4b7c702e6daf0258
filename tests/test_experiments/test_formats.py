"""Numbers and names as people read them."""

import pytest

from engine import METRICS
from experiments.formats import formatted, metric_label, spoken


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (1082.96, "1,083 days"),
        (100.4, "100 days"),
        (99.96, "100 days"),
        (99.94, "99.9 days"),
        (10.04, "10.0 days"),
        (9.996, "10.0 days"),
        (9.994, "9.99 days"),
        (0.5, "0.50 days"),
        (-12.34, "-12.3 days"),
        (0.0, "0.00 days"),
    ],
)
def test_days_have_three_digits_or_all_of_their_whole_ones(days: float, text: str) -> None:
    assert formatted(days, "days") == text


def test_large_percentages_have_marks_of_thousands() -> None:
    assert formatted(11.4247, "fraction") == "1,142.47%"
    assert formatted(-99.5, "fraction") == "-9,950.00%"
    assert formatted(123.456, "fraction") == "12,346%"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ict", "ICT"),
        ("market_structure", "market structure"),
        ("wyckoff", "Wyckoff"),
        ("cvd_divergence_up", "CVD divergence up"),
        ("no_votes", "no votes"),
        ("predict", "predict"),
    ],
)
def test_names_are_words_of_the_field(name: str, words: str) -> None:
    assert spoken(name) == words


def test_metrics_are_named_as_the_field_names_them() -> None:
    told = {metric.name: metric_label(metric.name, metric.unit) for metric in METRICS}
    assert told["smart_sharpe"] == "smart Sharpe"
    assert told["sortino"] == "Sortino"
    assert told["calmar"] == "Calmar"
    assert told["kelly"] == "Kelly"
    assert told["treynor"] == "Treynor"
    assert told["mean_mae_of_wins"] == "mean MAE of wins"
    assert told["benchmark_r2"] == "benchmark R²"
    assert told["log_equity_r2"] == "R² of log equity"
    assert told["expectancy_r"] == "expectancy in R"
    assert told["expectancy_frac"] == "expectancy, share of notional"
    assert told["fees"] == "fees paid"
    assert len(set(told.values())) == len(told)
    assert not [words for words in told.values() if "_" in words or not words.strip()]
