"""The page about mappings: its examples read the files that stand beside them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from datasets import Store, import_files
from datasets.importers.mapping.schema import Availability, CsvOptions, FileMapping, TimeColumn
from tests.test_datasets.importers.fuzzing import rows_of
from tests.test_datasets.importers.reading import write
from tests.test_datasets.sample_files import BARS_KEY, HOUR_NS, bar_table, utc_ns

PAGE = (Path(__file__).parents[3] / "docs" / "data-mapping.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(csv|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)
EXAMPLES = [(BLOCKS[n][1], BLOCKS[n + 1][1]) for n in range(0, len(BLOCKS), 2)]
JULY = utc_ns("2024-07-01")


def imported(store: Store, folder: Path, example: int) -> dict[str, list[dict[str, Any]]]:
    table, mapping = EXAMPLES[example]
    path = write(folder / "data.csv", table.encode())
    described = write(folder / "mapping.yaml", mapping.encode())
    import_files(store, [path], mapping=described)
    return {
        str(key): rows_of(store.read(key), with_availability=True) for key in sorted(store.keys())
    }


def test_each_example_is_a_file_and_its_mapping() -> None:
    assert [language for language, _ in BLOCKS] == ["csv", "yaml"] * 3


def test_bars(store: Store, tmp_path: Path) -> None:
    ((key, rows),) = imported(store, tmp_path, 0).items()
    assert key == "ohlcv/kraken/spot/BTC-EUR/1h/mapped"
    assert [row["open_time"] for row in rows] == [JULY + n * HOUR_NS for n in range(3)]
    assert [row["close"] for row in rows] == [62790.0, 62850.2, 62610.0]


def test_a_daily_series_that_is_published_later(store: Store, tmp_path: Path) -> None:
    ((key, rows),) = imported(store, tmp_path, 1).items()
    assert key == "metrics/vendor/linear_perp/BTCUSDT/1d/mapped"
    assert [row["available_at"] - row["event_time"] for row in rows] == [36 * HOUR_NS] * 3
    assert [row.get("sum_open_interest") for row in rows] == [1234567.5, 1250000.0, None]
    assert [row["count_long_short_ratio"] for row in rows] == [1.5, 1.2, 1.18]


def test_trades_of_several_symbols(store: Store, tmp_path: Path) -> None:
    series = imported(store, tmp_path, 2)
    bitcoin, ether = (f"trades/kraken/spot/{coin}-EUR/event/mapped" for coin in ("BTC", "ETH"))
    assert [(row["trade_id"], row["is_buyer_maker"]) for row in series[bitcoin]] == [
        (0, True),
        (1, True),
    ]
    assert [row["quantity"] for row in series[ether]] == [1.5]


def test_an_exported_csv_comes_back_with_a_mapping(store: Store, tmp_path: Path) -> None:
    store.write(BARS_KEY, bar_table(24), provenance={})
    store.export(BARS_KEY, tmp_path / "bars.csv")
    document = yaml.safe_load(EXAMPLES[0][1]) | {
        "time": {"column": "open_time", "zone": "UTC"},
        "available_at": {"column": "available_at", "zone": "UTC"},
    }  # fmt: skip
    path = write(tmp_path / "mapping.yaml", yaml.safe_dump(document).encode())
    (report,) = import_files(store, [tmp_path / "bars.csv"], mapping=path)
    names = ["open_time", "available_at", "open", "high", "low", "close", "volume"]
    assert store.read(report.key).select(names).equals(store.read(BARS_KEY).select(names))


@pytest.mark.parametrize(
    ("heading", "models"),
    [
        ("## Keys", [FileMapping]),
        ("### Keys of `time` and `available_at`", [TimeColumn, Availability]),
        ("### Keys of `csv`", [CsvOptions]),
    ],
)
def test_every_key_is_listed(heading: str, models: list[Any]) -> None:
    section = PAGE.partition(f"{heading}\n")[2].partition("\n#")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(listed) == {name for model in models for name in model.model_fields}
