"""Heads that could not count are told in words."""

from typing import Any

from experiments import RunConfig, config_of
from experiments.config_file import resolved
from experiments.notes import consensus_notes, grouped_notes, head_notes


def firing(symbol: str, **heads: tuple[float, float]) -> dict[str, Any]:
    """``(present, valid)`` of each head; one whose name ends in ``_off`` is not enabled."""
    return {
        "symbol": symbol,
        "heads": [
            {"name": name, "enabled": not name.endswith("_off"), "present": present,
             "valid": valid, "coverage": present / 2}
            for name, (present, valid) in heads.items()
        ],
    }  # fmt: skip


def test_heads_that_count_are_not_told():
    assert head_notes([firing("A", rules=(1.0, 0.3), ict_off=(0.0, 0.0))], 4) == ()


def test_a_head_without_data_is_told_with_the_symbols():
    told = head_notes([firing("A", rules=(0.0, 0.0)), firing("B", rules=(0.5, 0.1))], 4)
    assert told == (
        "rules has no data on any bar of A and abstains; the quorum of 4 is not lowered for it",
    )
    (told,) = head_notes([firing(f"S{n}", rules=(0.0, 0.0)) for n in range(9)], 4)
    assert "of all 9 symbols and abstains" in told
    rows = [firing(f"S{n}", rules=(0.0, 0.0)) for n in range(7)] + [firing("T", rules=(1.0, 0.2))]
    (told,) = head_notes(rows, 4)
    assert "of S0, S1, S2, S3, S4 and 2 more and abstains" in told


def test_a_head_that_is_never_valid_is_told_with_its_coverage():
    (told,) = head_notes([firing("A", rules=(0.8, 0.0)), firing("B", rules=(0.4, 0.0))], 4)
    assert told == (
        "rules is never valid on all 2 symbols: with a mean coverage of 0.40 it does not reach p_min "
        "and c_min"
    )


def test_notes_that_say_the_same_of_many_symbols_are_one():
    symbols = [f"S{n}" for n in range(8)]
    missing = [f"{name}: 12 of 100 bars are missing" for name in symbols]
    assert grouped_notes(missing, symbols) == ["all 8 symbols: 12 of 100 bars are missing"]
    assert grouped_notes(missing[:4], symbols) == ["S0, S1, S2, S3: 12 of 100 bars are missing"]
    (told,) = grouped_notes(missing[:7], symbols)
    assert told == "7 symbols (S0, S1, S2, S3, S4 and 2 more): 12 of 100 bars are missing"
    ends = [f"S{n}: data end at 2021-0{n + 1}-01 00:00, too early" for n in range(3)]
    assert grouped_notes(ends, symbols) == [
        "S0: data end at 2021-01-01 00:00, too early; so with other figures 2 more: S1, S2"
    ]


def test_no_note_is_lost_where_notes_are_grouped():
    symbols = ["A", "B", "C"]
    notes = [
        "whole",
        "A: 1 hole",
        "A: 2 holes",
        "A: 3 holes",
        "B: 1 hole",
        "X: 1 hole",
        "whole thing",
    ]
    assert grouped_notes(notes, symbols) == [
        "whole", "A: 1 hole", "B: 1 hole", "A: 2 holes", "A: 3 holes", "X: 1 hole", "whole thing",
    ]  # fmt: skip


def test_a_quorum_that_no_enabled_heads_can_reach_is_told(small_config: RunConfig):
    tree = resolved(small_config)
    two = ["heads.enabled=[ict, rules]"]
    assert consensus_notes(config_of(tree, [*two, "consensus.quorum=3"])) == [
        "consensus.quorum=3: so many heads must agree, and heads.enabled has 2; nothing can stand"
    ]
    assert consensus_notes(config_of(tree, [*two, "consensus.quorum=2"])) == []
