"""Zones of a run: the events of its heads that have a price, and when each was over."""

import numpy as np
import pandas as pd
import pytest

from datasets import Store
from experiments import RunConfig, RunResult, config_of, run
from experiments.config_file import resolved
from experiments.events.found import found_events
from experiments.events.table import events_table


@pytest.fixture(scope="module")
def zones(result: RunResult) -> pd.DataFrame:
    return result.frame("zones")


def test_they_are_the_events_that_have_a_price(
    zones: pd.DataFrame, small_config: RunConfig, store: Store
):
    every = events_table(found_events(small_config, store=store)).to_pandas()
    priced = every[every["top"].notna() & every["bottom"].notna()].reset_index(drop=True)
    assert len(zones) == len(priced) > 1_000
    same = ["symbol", "head", "detection", "detector", "clock", "type", "direction"]
    same += ["anchor_time", "known_time", "bottom", "top"]
    pd.testing.assert_frame_equal(zones[same], priced[same], check_dtype=False)
    ended = priced["is_over"].to_numpy()
    assert 0 < ended.sum() < len(ended)
    expected = priced["state_time"].where(ended)
    pd.testing.assert_series_equal(zones["end_time"], expected, check_names=False)
    assert zones["end_state"].where(ended, "").tolist() == (
        priced["state"].where(ended, "").tolist()
    )
    assert zones["end_state"].isna().tolist() == (~ended).tolist()


def test_times_and_edges_are_in_order(zones: pd.DataFrame, result: RunResult):
    assert (zones["known_time"] > zones["anchor_time"]).all()
    assert (zones["end_time"].dropna() >= zones["known_time"][zones["end_time"].notna()]).all()
    assert (zones["top"] >= zones["bottom"]).all()
    last = np.datetime64(int(result.panel.close_time[-1]), "ns")
    assert zones["known_time"].max() <= last
    assert zones["symbol"].unique().tolist() == list(result.panel.symbols)


def test_only_heads_that_vote_are_shown(small_config: RunConfig, store: Store):
    config = config_of(resolved(small_config), ["heads.enabled=[technical, ict, wyckoff]"])
    found = run(config, store=store, runs=None).frame("zones")
    assert found["head"].unique().tolist() == ["ict", "wyckoff"]
    none = config_of(resolved(small_config), ["heads.enabled=[technical, volume]"])
    assert run(none, store=store, runs=None).frame("zones").empty
