"""What is said about a file and cannot be: refused, with words that fit."""

from pathlib import Path

import pytest

from datasets import Store, import_files
from datasets.importers.files import checked_request, read_file, recognised
from datasets.importers.reading.source_file import open_source
from datasets.importers.report import Request
from datasets.kinds import kind_named
from engine import ConfigError, DataError
from tests.test_datasets.importers.binance_samples import csv_bytes
from tests.test_datasets.importers.reading import read_one, refusal, refused_as, write
from tests.test_datasets.importers.tidy_samples import SAMPLES
from tests.test_datasets.sample_files import kline_cells

MICRO = [[f"{cells[0]}000", *cells[1:6], f"{cells[6]}999", *cells[7:]] for cells in kline_cells(30)]
LIQUIDATION = (
    "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    "bitmex,XBTUSD,1720000000000000,1720000000500000,a,sell,100,1\n"
)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, sample in SAMPLES.items()
        if name
        in ("liquidation_orders", "liquidation_sums", "open_interest", "funding_settlements")
    ],
)
def test_what_only_contracts_have_is_refused_in_a_spot_market(tmp_path: Path, name: str) -> None:
    path = SAMPLES[name].write(tmp_path)
    with pytest.raises(DataError, match="market=spot has none; give the market of the contract"):
        read_file(path, Request(venue="binance", market="spot"))


@pytest.mark.parametrize(
    ("market", "word"),
    [
        ("um_perp", "linear_perp"),
        ("cm_perp", "inverse_perp"),
        ("um_future", "linear_future"),
        ("cm_future", "inverse_future"),
    ],
)
def test_words_of_binance_are_refused_at_another_venue(
    tmp_path: Path, market: str, word: str
) -> None:
    kind = "dated_futures_bars" if market.endswith("future") else "funding_settlements"
    path = SAMPLES[kind].write(tmp_path)
    with pytest.raises(DataError, match=f"only Binance calls a market {market}.*--market {word}$"):
        read_file(path, Request(venue="okx", market=market))


def test_advice_names_markets_of_the_venue(tmp_path: Path) -> None:
    path = SAMPLES["long_short_vintages"].write(tmp_path)
    path = path.rename(tmp_path / "captured.parquet")
    assert "--market spot or --market linear_perp" in str(refusal(path, venue="okx"))
    assert "--market spot or --market um_perp" in str(refusal(path, venue="binance"))


def test_microseconds_belong_to_spot_archives(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-1h-2025-01.csv", csv_bytes(MICRO))
    assert len(read_one(path, market="spot").table) == 30
    defect, message = refused_as(path, market="um_perp")
    assert defect == "contradiction"
    assert "line 1: open_time" in message
    assert "--market spot" in message


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder; give the files in it, such as .*/\*$"):
        open_source(tmp_path)


@pytest.mark.parametrize(("after", "words"), [(0, None), (1, "1 file after"), (2, "2 files after")])
def test_a_refusal_says_how_many_files_were_not_tried(
    store: Store, tmp_path: Path, after: int, words: str | None
) -> None:
    bad = write(tmp_path / "bad.csv", b"nothing known\n")
    good = [
        write(tmp_path / f"BTCUSDT-1h-202{n}-01_spot.csv", csv_bytes(kline_cells(30)))
        for n in range(after)
    ]
    with pytest.raises(DataError) as caught:
        import_files(store, [bad, *good])
    message = str(caught.value)
    assert (words is None) == ("not tried" not in message)
    assert words is None or words in message
    assert not store.keys()


def test_names_that_are_nearly_right_are_answered_with_the_right_one(tmp_path: Path) -> None:
    file = open_source(write(tmp_path / "x.csv", b"a,b\n1,2\n"))
    with pytest.raises(ConfigError, match="did you mean freqtrade\\?") as caught:
        recognised(file, "freqtrad")
    assert len(str(caught.value)) < 160
    with pytest.raises(DataError, match="did you mean funding\\?") as wrong:
        kind_named("fundin")
    assert len(str(wrong.value)) < 160
    with pytest.raises(DataError, match=r"kind='zzz' is unknown; .*ninefold data kinds"):
        checked_request(Request(kind="zzz"))
