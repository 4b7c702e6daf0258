"""Whether the rows that a sweep searched are still those of the store, told by the run of its trial."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from datasets import DatasetKey, Store
from experiments import RunConfig, load_run, run
from experiments.config_file import resolved
from experiments.report.origin import origin_of
from experiments.report.reading import RunReading
from experiments.searched import searched_by
from experiments.sweeps import ledger as ledger_module
from experiments.sweeps.best import trial_config
from experiments.sweeps.config import sweep_config_of
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.run import run_sweep
from tests.generators import random_bars

INSTRUMENT = {"venue": "v", "market": "spot", "symbol": "XUSD", "source": "test"}
BARS = DatasetKey("ohlcv", "v", "spot", "XUSD", "1h", "test")
DAYS = 40
HOLDOUT = date(2021, 1, 21)
HOURS = 24


class Swept(NamedTuple):
    """A sweep with a holdout, its store and its first trial."""

    ledger: Ledger
    store: Store
    trial: RunConfig


def rows_of(bars: Any, first: int = 0, last: int | None = None) -> pa.Table:
    names = ("open", "high", "low", "close", "volume")
    columns = {name: bars.columns()[name][first:last] for name in names}
    return pa.table({"open_time": bars.open_time[first:last], **columns})


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    folder = tmp_path_factory.mktemp("swept")
    store, bars = Store(folder / "data"), random_bars(DAYS * HOURS, 3)
    start = np.datetime64("2021-01-01", "ns").astype(np.int64)
    assert bars.open_time[0] == start, "the days below are counted from here"
    store.write(BARS, rows_of(bars), provenance={})
    config = sweep_config_of(
        {
            "name": "small",
            "data": {
                "timeframe": "1h",
                "start": "2021-01-01",
                "instruments": [{"signals": INSTRUMENT}],
            },
            "heads": {"enabled": ["technical"]},
            "consensus": {"quorum": 1},
            "sweep": {
                "space": {"exits.stop_atr": {"kind": "real", "low": 1.0, "high": 2.0}},
                "screen": {"trials": 2, "batch": 2},
                "search": {"trials": 0},
                "holdout_from": HOLDOUT.isoformat(),
            },
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        # Asking git takes longer than everything else here.
        patch.setattr(ledger_module, "revision", lambda: {"commit": None, "dirty": None})
        ledger = run_sweep(config, store=store, runs=folder / "runs").ledger
    return Swept(ledger, store, trial_config(ledger, 1))


def until(config: RunConfig, end: date | None) -> RunConfig:
    return config.model_copy(update={"data": config.data.model_copy(update={"end": end})})


def reading_of(config: RunConfig, store: Store, swept: Swept) -> RunReading:
    made = run(config, store=store, runs=swept.ledger.runs)
    assert made.run_dir is not None
    return RunReading(load_run(made.run_dir))


def samples(reading: RunReading) -> list[tuple[int, int, bool]]:
    return [(one.start, one.stop, one.is_seen) for one in origin_of(reading).samples]


def copied(swept: Swept, folder: Path) -> Store:
    shutil.copytree(swept.store.root, folder / "data")
    return Store(folder / "data")


def test_the_days_that_were_searched_end_before_the_holdout(swept: Swept) -> None:
    found = searched_by(swept.ledger.runs, swept.ledger.sweep_id)
    assert found is not None
    assert found.fingerprint == swept.ledger.sweep["data_fingerprint"]
    assert (found.data["start"], found.data["end"]) == ("2021-01-01", "2021-01-20")
    assert found.data == resolved(swept.trial)["data"]
    assert searched_by(swept.ledger.runs / "elsewhere", swept.ledger.sweep_id) is None


def test_an_id_never_leads_out_of_the_folder_of_sweeps(swept: Swept, tmp_path: Path) -> None:
    folder = swept.ledger.folder
    inside = folder.relative_to(swept.ledger.runs)
    for name in (f"../{inside}", f"{folder.parent.name}/../{inside}", "*", "", "..", str(folder)):
        assert searched_by(swept.ledger.runs, name) is None
    elsewhere = shutil.copytree(folder, tmp_path / folder.name)
    (tmp_path / "runs" / "sweeps" / "family").mkdir(parents=True)
    assert searched_by(tmp_path / "runs", f"../../../{elsewhere.name}") is None


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (date(2021, 1, 20), [(0, 480, True)]),
        (None, [(0, 480, True), (480, 960, False)]),
        (date(2021, 1, 10), [(0, 240, True)]),
    ],
)
def test_as_long_as_the_rows_are_the_same_the_samples_are_known(
    swept: Swept, end: date | None, expected: list[tuple[int, int, bool]]
) -> None:
    reading = reading_of(until(swept.trial, end), swept.store, swept)
    searched = swept.ledger.sweep["data_fingerprint"]
    assert reading.content["searched_data_fingerprint"] == searched
    assert (reading.content["data_fingerprint"] == searched) is (end == date(2021, 1, 20))
    assert samples(reading) == expected


@pytest.mark.parametrize(
    ("row", "is_same"),
    [(30, False), (20 * HOURS - 1, False), (20 * HOURS, True), (DAYS * HOURS - 1, True)],
)
def test_only_rows_that_were_searched_count(
    swept: Swept, tmp_path: Path, row: int, is_same: bool
) -> None:
    store, changed = copied(swept, tmp_path), rows_of(random_bars(DAYS * HOURS, 3))
    volume = changed["volume"].to_numpy().copy()
    volume[row] += 1.0
    place = changed.column_names.index("volume")
    changed = changed.set_column(place, "volume", pa.array(volume))
    store.remove(BARS)
    store.write(BARS, changed, provenance={})
    reading = reading_of(until(swept.trial, None), store, swept)
    searched = swept.ledger.sweep["data_fingerprint"]
    assert (reading.content["searched_data_fingerprint"] == searched) is is_same
    assert len(samples(reading)) == (2 if is_same else 0)
    if not is_same:
        assert origin_of(reading).text.startswith("The data have changed since the sweep small-")


def test_days_that_are_gone_are_not_known(swept: Swept, tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    late = 25 * HOURS
    store.write(BARS, rows_of(random_bars(DAYS * HOURS, 3), late), provenance={})
    later = swept.trial.data.model_copy(update={"start": date(2021, 1, 26), "end": None})
    reading = reading_of(swept.trial.model_copy(update={"data": later}), store, swept)
    assert reading.content["searched_data_fingerprint"] is None
    assert samples(reading) == []
    assert origin_of(reading).text.startswith("Nothing tells whether the rows")


def test_a_run_of_nobody_s_trial_has_none(swept: Swept) -> None:
    own = swept.trial.model_copy(update={"origin": None})
    reading = reading_of(own, swept.store, swept)
    assert reading.content["searched_data_fingerprint"] is None
