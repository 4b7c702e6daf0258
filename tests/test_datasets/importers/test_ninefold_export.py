"""What was exported comes back as it was."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import KINDS, DatasetKey, Store, import_files
from datasets.importers.formats import FORMATS
from datasets.importers.reading.source_file import open_source
from datasets.importers.report import Request
from datasets.importers.tidy import LAYOUTS
from datasets.store.export import DATASET_KEY
from engine import DataError
from tests.test_datasets.importers.fuzzing import in_memory
from tests.test_datasets.importers.reading import read_one, refusal
from tests.test_datasets.importers.tidy_samples import SAMPLES
from tests.test_datasets.sample_files import BARS_KEY, HOUR_NS, START_NS, bar_table

(FORMAT,) = (one for one in FORMATS if one.name == "ninefold_export")
FROM_A_FILE = sorted(name for name in SAMPLES if name != "coinalyze_funding")


def exported(store: Store, tmp_path: Path) -> Path:
    store.write(BARS_KEY, bar_table(24), provenance={})
    store.export(BARS_KEY, tmp_path / "bars.parquet")
    return tmp_path / "bars.parquet"


@pytest.mark.parametrize("name", FROM_A_FILE)
def test_an_export_is_imported_as_the_data_set_that_it_was(
    store: Store, tmp_path: Path, name: str
) -> None:
    sample = SAMPLES[name]
    import_files(store, [sample.write(tmp_path)], **asdict(sample.request))
    paths = [tmp_path / f"export_{number}.parquet" for number, _ in enumerate(store.keys())]
    for key, path in zip(store.keys(), paths, strict=True):
        store.export(key, path)
    other = Store(tmp_path / "other")
    reports = import_files(other, paths)
    assert {report.format for report in reports} == {"ninefold_export"}
    assert other.keys() == store.keys()
    assert other.fingerprint(store.keys(), None, None) == store.fingerprint(
        store.keys(), None, None
    )
    for key in sorted(store.keys()):
        assert other.read(key).equals(store.read(key))


def test_every_vintage_and_a_source_of_its_own(store: Store, tmp_path: Path) -> None:
    path = exported(store, tmp_path)
    known = pa.array([START_NS + 100 * HOUR_NS] * 24)
    later = bar_table(24).append_column("available_at", known)
    trades = later.column_names.index("trades")
    later = later.set_column(trades, "trades", pa.array([7] * 24))
    store.write(BARS_KEY, later, provenance={})
    assert store.export(BARS_KEY, path) == 48
    other = Store(tmp_path / "other")
    (report,) = import_files(other, [path], source="mine")
    assert str(report.key) == str(BARS_KEY).replace("/test", "/mine")
    assert other.read(report.key).equals(store.read(BARS_KEY))


def test_simulated_markets_keep_their_words(store: Store, tmp_path: Path) -> None:
    key = DatasetKey("ohlcv", "simulated", "um_perp", "BTCSIM", "1h", "seed1")
    store.write(key, bar_table(24), provenance={})
    store.export(key, tmp_path / "sim.parquet")
    assert read_one(tmp_path / "sim.parquet").key == key


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "trades"}, "kind=ohlcv"),
        ({"venue": "okx"}, "venue=binance"),
        ({"market": "um_perp"}, "market=spot"),
        ({"timeframe": "1d"}, "timeframe=1h"),
    ],
)
def test_options_do_not_override_the_file(
    store: Store, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    assert said in str(refusal(exported(store, tmp_path), **options))


def test_a_symbol_may_be_renamed_and_the_file_is_told(store: Store, tmp_path: Path) -> None:
    rows = read_one(exported(store, tmp_path), symbol="BTCUSDT_OLD")
    assert rows.key.symbol == "BTCUSDT_OLD"
    (found,) = [one for one in rows.findings if one.defect == "name_contradiction"]
    assert "exported as symbol BTCUSDT, imported as BTCUSDT_OLD" in found.message


def test_a_file_that_was_edited_is_refused(store: Store, tmp_path: Path) -> None:
    table = pq.read_table(exported(store, tmp_path))
    path = tmp_path / "edited.parquet"
    pq.write_table(table.drop_columns("trades"), path)
    assert "has the columns open_time" in str(refusal(path))
    for stated in (b"ohlcv/binance", b"\xff", b"candles/binance/spot/BTCUSDT/1h/test"):
        pq.write_table(table.replace_schema_metadata({DATASET_KEY: stated}), path)
        refusal(path)
    pq.write_table(pa.concat_tables([table.slice(3), table.slice(0, 4)]), path)
    assert len(read_one(path).table) == 24
    negative = table.set_column(2, table.schema.field(2), pa.array([-1.0] * 24))
    pq.write_table(negative, path)
    assert "open=-1" in str(refusal(path))


def test_an_export_is_of_no_other_format(store: Store, tmp_path: Path) -> None:
    file = open_source(exported(store, tmp_path))
    assert [one.name for one in FORMATS if one.recognises(file)] == ["ninefold_export"]
    for kind in KINDS.values():
        assert not any(layout.fits(kind.schema.names) for layout in LAYOUTS), kind.name


def test_damaged_bytes_are_refused(store: Store, tmp_path: Path) -> None:
    data = exported(store, tmp_path).read_bytes()
    for end in range(4, len(data), 97):
        with pytest.raises(DataError):
            list(FORMAT.read(in_memory("x.parquet")(data[:end]), Request()))


def test_bars_with_more_holes_than_neighbours_keep_their_step(store: Store, tmp_path: Path) -> None:
    store.write(BARS_KEY, bar_table(60).take(pa.array(range(0, 60, 3))), provenance={})
    store.export(BARS_KEY, tmp_path / "sparse.parquet")
    assert len(read_one(tmp_path / "sparse.parquet").table) == 20
