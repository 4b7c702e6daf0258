"""Decisions and funding that break their contract are refused by argument and row."""

from typing import Any

import numpy as np
import pytest

from engine import ORDER_KINDS, STYLES, ContractError, Decisions, Funding

SHAPE = (6, 3)
CELL = (4, 2)


def columns(**changed: Any) -> dict[str, Any]:
    """Every column of decisions: long limit orders in all cells."""
    return {
        "target": np.full(SHAPE, 0.5),
        "acts": np.ones(SHAPE, dtype=np.bool_),
        "atr_frac": np.full(SHAPE, 0.01),
        "style": np.zeros(SHAPE, dtype=np.int8),
        "order_kind": np.full(SHAPE, ORDER_KINDS.index("limit"), dtype=np.int8),
        "order_price": np.full(SHAPE, 100.0),
        "volatility": np.full(SHAPE, 0.6),
    } | changed


def with_value(name: str, value: Any) -> dict[str, Any]:
    found = columns()
    found[name][CELL] = value
    return found


NAMES = tuple(columns())


def test_whole_decisions_are_accepted_and_cut():
    decisions = Decisions(**columns())
    prefix = decisions.prefix(2)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(prefix, name), getattr(decisions, name)[:2])
    required = {name: columns()[name] for name in ("target", "acts", "atr_frac")}
    assert Decisions(**required).prefix(3).style is None


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_dtype_names_the_argument_and_both_dtypes(name: str):
    wrong = columns()[name].astype(np.float32)
    with pytest.raises(ContractError, match=f"decisions: {name} must be a 2-dim.*float32 array"):
        Decisions(**columns(**{name: wrong}))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_rank_or_shape_names_the_argument(name: str):
    column = columns()[name]
    with pytest.raises(ContractError, match=f"decisions: {name} .*it is a 1-dimensional"):
        Decisions(**columns(**{name: column[:, 0]}))
    with pytest.raises(ContractError, match=f"decisions: {name} .*not list"):
        Decisions(**columns(**{name: column.tolist()}))
    other = "acts" if name == "target" else name
    with pytest.raises(ContractError, match=rf"decisions: {other} has shape"):
        Decisions(**columns(**{name: column[:-1]}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", np.nan),
        ("target", 1.0 + 1e-9),
        ("target", -np.inf),
        ("atr_frac", np.nan),
        ("atr_frac", 0.0),
        ("atr_frac", -0.01),
        ("atr_frac", np.inf),
        ("style", len(STYLES)),
        ("style", -1),
        ("order_kind", len(ORDER_KINDS)),
        ("order_kind", -1),
        ("order_price", np.nan),
        ("order_price", 0.0),
        ("order_price", -5.0),
        ("volatility", np.nan),
        ("volatility", 0.0),
    ],
)
def test_a_wrong_value_names_the_argument_its_row_and_its_column(name: str, value: float):
    with pytest.raises(ContractError, match=rf"decisions: {name}\[4, 2\]={value}"):
        Decisions(**with_value(name, value))


@pytest.mark.parametrize(
    "name", ["target", "atr_frac", "style", "order_kind", "order_price", "volatility"]
)
def test_a_row_that_does_not_act_is_not_read(name: str):
    found = with_value(name, -1 if name in ("style", "order_kind") else np.nan)
    found["acts"][CELL] = False
    Decisions(**found)


@pytest.mark.parametrize("name", ["atr_frac", "volatility"])
def test_a_row_that_asks_for_no_position_needs_neither_range_nor_volatility(name: str):
    found = with_value(name, np.nan)
    found["target"][CELL] = 0.0
    Decisions(**found)


def test_a_limit_order_needs_prices_at_all():
    with pytest.raises(
        ContractError, match="order_price is needed where order_kind is limit or stop"
    ):
        Decisions(**columns(order_price=None))
    Decisions(**columns(order_price=None, order_kind=np.zeros(SHAPE, dtype=np.int8)))


def events(**changed: Any) -> dict[str, Any]:
    return {
        "time_ns": np.arange(5, dtype=np.int64),
        "symbol_index": np.zeros(5, dtype=np.int64),
        "rate": np.full(5, 1e-4),
        "mark_price": np.full(5, 100.0),
    } | changed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_ns", 1),
        ("symbol_index", -1),
        ("rate", np.nan),
        ("rate", np.inf),
        ("mark_price", -1.0),
        ("mark_price", np.nan),
    ],
)
def test_a_wrong_event_names_the_argument_and_its_row(name: str, value: float):
    found = events()
    found[name][3] = value
    with pytest.raises(ContractError, match=rf"funding: {name}\[3\]={value}"):
        Funding(**found)


@pytest.mark.parametrize("name", tuple(events()))
def test_a_wrong_column_of_events_names_the_argument(name: str):
    wrong = events()[name].astype(np.float32)
    with pytest.raises(ContractError, match=f"funding: {name} must be .*float32"):
        Funding(**events(**{name: wrong}))
    shorter = "symbol_index" if name == "time_ns" else name
    with pytest.raises(ContractError, match=rf"funding: {shorter} has shape"):
        Funding(**events(**{name: events()[name][:-1]}))


def test_events_of_one_time_and_none_at_all_are_accepted():
    Funding(**events(time_ns=np.zeros(5, dtype=np.int64)))
    assert len(Funding.none().time_ns) == 0
