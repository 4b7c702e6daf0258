"""The page about data files says what the importers do."""

from pathlib import Path

import pytest

from datasets import KINDS
from datasets.importers.documentation import (
    data_files,
    file_row,
    files_markdown,
    formats_markdown,
    options_in,
    request_of,
    with_table,
)
from datasets.importers.formats import FORMATS
from datasets.importers.report import Request
from engine import DataError
from tests.test_datasets.importers.tidy_samples import SAMPLES

PAGE = Path(__file__).parents[3] / "docs" / "data-files.md"
AGAIN = (
    "python -m datasets.importers.documentation docs/data-files.md ../shared/data writes it anew"
)


def test_the_page_lists_the_formats() -> None:
    assert formats_markdown() in PAGE.read_text(encoding="utf-8"), AGAIN


def test_formats_have_one_name_each_and_known_kinds() -> None:
    names = [layout.name for layout in FORMATS]
    assert len(set(names)) == len(names)
    assert {kind for layout in FORMATS for kind in layout.kinds} <= set(KINDS)


def test_a_file_is_described_by_what_becomes_of_it(tmp_path: Path) -> None:
    path = SAMPLES["defi_tvl"].write(tmp_path)
    assert str(file_row(tmp_path, path.name, "")) == (
        "| `locked.parquet` |  | `tvl/unstated/protocol` 1d: 1 data set, 3 rows; `tvl/unstated/total` 1d: "
        "1 data set, 3 rows | leading_zeros 2 dropped, unstated_venue 6 kept |"
    )
    path = SAMPLES["ohlcv_bars"].write(tmp_path).rename(tmp_path / "bars.parquet")
    assert str(file_row(tmp_path, path.name, "--market spot")) == (
        "| `bars.parquet` | `--market spot` | refused: neither the file nor its name says the venue; give "
        "--venue binance | unstated_venue |"
    )


def test_tables_of_a_page_are_replaced_and_options_stay(tmp_path: Path) -> None:
    SAMPLES["ohlcv_bars"].write(tmp_path).rename(tmp_path / "bars.parquet")
    (tmp_path / "README.md").write_text("no data")
    page = (
        "# P\n\n## Files\n\nWords.\n\n| file | options | becomes | findings |\n|---|---|---|---|\n"
        "| `bars.parquet` | `--venue okx --market spot` | old | old |\n\nAfter.\n"
    )
    assert data_files(tmp_path) == ["bars.parquet"]
    table = files_markdown(tmp_path, options_in(page))
    assert "`ohlcv/okx/spot` 15m: 2 data sets, 22 rows" in table
    assert with_table(page, "## Files", table) == f"# P\n\n## Files\n\nWords.\n\n{table}\nAfter.\n"
    with pytest.raises(DataError, match="no heading"):
        with_table(page, "## Formats", table)


def test_options_are_those_of_the_command_line() -> None:
    assert request_of("") == (Request(), None)
    request = Request(kind="fx", venue="okx", symbol="A")
    assert request_of("--as fx --venue okx --symbol A --format fx_daily") == (request, "fx_daily")
    with pytest.raises(DataError, match="'--place' is unknown"):
        request_of("--place here")


@pytest.mark.real
def test_every_file_of_the_data_folder_is_imported_or_refused_as_the_page_says(
    real_data: Path,
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    options = options_in(page)
    assert sorted(options) == data_files(real_data), AGAIN
    rows = {name: file_row(real_data, name, text) for name, text in options.items()}
    wrong = [f"{row}" for row in rows.values() if str(row) not in page]
    assert not wrong, f"{AGAIN}; these rows are not on the page:\n" + "\n".join(wrong)
    refused = {name for name, row in rows.items() if row.becomes.startswith("refused")}
    assert refused == {
        "derivatives/funding_daily_coinalyze.parquet",
        "raw/defects/SOLUSDT-1h-2023-01_excel_mangled.csv",
        "raw/l2_vendor_samples/binance_btcusdt-depth-update.csv",
        "raw/l2_vendor_samples/tardis_deribit_incremental_book_L2_BTC-PERPETUAL.csv",
    }


@pytest.mark.real
def test_files_that_need_options_ask_for_them(real_data: Path) -> None:
    options = options_in(PAGE.read_text(encoding="utf-8"))
    for name, text in options.items():
        if not text:
            continue
        row = file_row(real_data, name, "")
        assert row.becomes.startswith("refused"), name
        assert any(f"{option} " in row.becomes for option in text.split()[::2]), row.becomes
