"""The review of analysers: shares, episodes and pictures on markets made by hand, pages on real files."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

from datasets import DatasetKey, SimulationSpec, Store, write_simulated
from engine import HOUR_NS, DataError, Float1D, Market
from experiments.studies.analyser_review import OUT, SUBJECTS, readings, review, write
from experiments.studies.analysers import moods
from experiments.studies.analysers.monthly import monthly_season
from experiments.studies.analysers.page import contents, firing_table, page
from experiments.studies.analysers.picture import COLUMN, HEIGHT, LEFT, RIGHT, WIDTH, picture
from experiments.studies.analysers.reading import (
    Episode,
    Reading,
    SecondOpinion,
    Subject,
    firing_rows,
    found,
    read,
)
from experiments.studies.analysers.sources import configured
from indicators import INDICATORS_BY_NAME, feature
from strategies.analysers import CvdTrend, Derivatives
from tests.generators import random_market

DOCS = Path(__file__).resolve().parents[2] / OUT
NEW_YEAR_NS = 1_640_995_200_000_000_000
"""2022-01-01 00:00 UTC."""
MOST_BYTES = 1_000_000


def no_market(store: Store) -> Market:
    raise AssertionError("the market of this subject is made by hand")


def subject(**fields: object) -> Subject:
    given: dict[str, object] = {
        "name": "takers",
        "title": "Takers & makers",
        "says": "With the takers.",
        "files": ("klines/file.parquet",),
        "market": no_market,
        "shown": {"trend": feature("cvd", "trend"), "flip": feature("cvd_flip", "side")},
        "line": "trend",
        "unit": "share",
        "unknown": ("Who they are.",),
        "analyser": CvdTrend(),
        "states": {"flip": {-1: "sold", 1: "bought"}},
    }
    return Subject(**{**given, **fields})


def reading_of(
    line: list[float], side: list[int], first_close_ns: int, **fields: object
) -> Reading:
    """Hourly bars with these values; the line is known where it is no NaN, the state is the side."""
    values = np.array(line)
    return Reading(
        subject=subject(**fields),
        timeframe="1h",
        known_at=first_close_ns + HOUR_NS * np.arange(len(line), dtype=np.int64),
        values={"trend": values, "flip": np.array(side, dtype=np.float64)},
        side=np.array(side, dtype=np.float64),
        known=~np.isnan(values),
    )


def counted(known_at: list[int], known: list[bool], side: list[float], year: int) -> list[float]:
    """Known share, then long and short shares of the known bars that close in ``year``, one by one."""
    bars = total = long = short = 0
    for moment, is_known, toward in zip(known_at, known, side, strict=True):
        last = datetime.fromtimestamp((moment - 1) // 1_000_000_000, UTC)
        if last.year != year:
            continue
        bars += 1
        total += is_known
        long += is_known and toward > 0
        short += is_known and toward < 0
    return [total / bars, long / max(total, 1), short / max(total, 1)]


def test_shares_by_year_are_those_counted_one_by_one():
    market = random_market(9_000, seed=5)
    market = replace(
        market,
        bars=replace(market.bars, open_time=market.bars.open_time - 4_000 * HOUR_NS),
        series={},
    )
    reading = read(subject(), market)
    rows = firing_rows(reading)
    assert [row.period for row in rows] == ["2020", "2021", "all"]
    for row in rows[:-1]:
        expected = counted(
            reading.known_at.tolist(),
            reading.known.tolist(),
            reading.side.tolist(),
            int(row.period),
        )
        assert [row.known, row.long, row.short] == expected
    assert 0 < rows[0].long < 1
    assert sum(row.bars for row in rows[:-1]) == rows[-1].bars == 9_000


def test_a_bar_that_closes_at_midnight_belongs_to_the_year_before():
    reading = reading_of([np.nan, 0.1, 0.2, 0.3], [0, 1, -1, 1], NEW_YEAR_NS - HOUR_NS)
    old, new, every = firing_rows(reading)
    assert (old.period, old.bars, old.known, old.long, old.short) == ("2021", 2, 0.5, 1.0, 0.0)
    assert (new.period, new.bars, new.known, new.long, new.short) == ("2022", 2, 1.0, 0.5, 0.5)
    assert every.states == {("flip", -1): 1 / 3, ("flip", 1): 2 / 3}
    assert "| 2021 | 2 | 50.0% | 0.0% | 100.0% | 100.0% | 0.0% |" in firing_table(reading)


def test_an_episode_holds_its_last_day_to_midnight_and_no_bar_before_its_first():
    episode = Episode("New year.", date(2021, 12, 31), date(2021, 12, 31), "trend", "highest")
    line = [9.0, *[1.0] * 23, 5.0, 9.0]
    # The first bar closes as the day begins, the next to last as it ends.
    reading = reading_of(line, [0] * 26, NEW_YEAR_NS - 24 * HOUR_NS, episodes=(episode,), scale=2.0)
    (one,) = found(reading)
    assert (one.known_at, one.value) == (NEW_YEAR_NS, 10.0)
    lowest = replace(episode, extreme="lowest")
    assert found(replace(reading, subject=subject(episodes=(lowest,))))[0].value == 1.0
    early = replace(episode, first=date(2021, 12, 1), last=date(2021, 12, 1))
    with pytest.raises(DataError, match="nothing is known of trend from 2021-12-01 to 2021-12-01"):
        found(replace(reading, subject=subject(episodes=(early,))))


def moves(svg: str, cls: str) -> list[str]:
    """The subpaths of the path of this class."""
    (path,) = re.findall(rf'<path class="{cls}"[^>]* d="([^"]*)"', svg)
    return [part for part in path.split("M") if part]


def box_of(part: str) -> tuple[float, float]:
    """Left edge and width of a box."""
    match = re.match(r"(\d+) \d+h(\d+)", part)
    assert match is not None
    return float(match[1]), float(match[2])


def test_a_hole_breaks_the_line_and_sides_stand_where_they_were_taken():
    line = [float(k) for k in range(1000)]
    line[400:600] = [np.nan] * 200
    side = [0] * 1000
    side[100:200] = [1] * 100
    svg = picture(reading_of(line, side, NEW_YEAR_NS), ())
    assert len(moves(svg, "line")) == 2
    (box,) = moves(svg, "long")
    assert moves(svg, "short") == []
    x, width = box_of(box)
    scale = (RIGHT - LEFT) / 999
    assert x == pytest.approx(LEFT + 100 * scale, abs=COLUMN)
    assert width == pytest.approx(100 * scale, abs=2 * COLUMN)
    whole = picture(reading_of([float(k) for k in range(1000)], side, NEW_YEAR_NS), ())
    assert len(moves(whole, "line")) == 1


def test_a_side_lasts_until_the_next_bar_closes():
    svg = picture(reading_of([0.0, 1.0, 2.0, 1.0, 0.0], [0, 1, 1, 0, -1], NEW_YEAR_NS), ())
    quarter = (RIGHT - LEFT) / 4
    (box,) = moves(svg, "long")
    assert box_of(box) == pytest.approx((LEFT + quarter, 2 * quarter), abs=2 * COLUMN)
    (last,) = moves(svg, "short")
    assert box_of(last) == pytest.approx((RIGHT, COLUMN), abs=COLUMN)


def test_a_picture_is_sound_and_everything_lies_inside():
    second = SecondOpinion("Another.", np.array([NEW_YEAR_NS + 50 * HOUR_NS]), np.array([0.5]))
    market = random_market(3_000, seed=8)
    reading = read(
        subject(levels=(-0.05, 0.05)),
        market,
        replace(second, time_ns=market.bars.close_time[[900]]),
    )
    svg = picture(reading, ())
    root = ElementTree.fromstring(svg)
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    for x, y in re.findall(r"[ML](-?\d+) (-?\d+)", "M" + "M".join(moves(svg, "line"))):
        assert LEFT <= int(x) <= RIGHT
        assert 0 < int(y) < HEIGHT
    assert len(moves(svg, "dot")) == 1
    assert "Takers &amp; makers" in svg
    assert "prefers-color-scheme:dark" in svg


def test_only_the_days_that_are_named_are_drawn():
    line = [float(k % 7) for k in range(240)]
    part = (date(2022, 1, 3), date(2022, 1, 4))
    whole = reading_of(line, [0] * 240, NEW_YEAR_NS)
    assert "10 Jan" in picture(whole, ())
    assert "10 Jan" not in picture(replace(whole, subject=subject(drawn=part)), ())
    away = subject(drawn=(date(2021, 1, 1), date(2021, 1, 2)))
    with pytest.raises(DataError, match="nothing is known on the days that are drawn"):
        picture(replace(whole, subject=away), ())


def test_a_second_opinion_is_compared_on_the_bar_that_closes_with_it():
    reading = reading_of([1.0, 2.0, np.nan, 4.0, 5.0], [0] * 5, NEW_YEAR_NS)
    time_ns = NEW_YEAR_NS + HOUR_NS * np.array([0, 1, 2, 4, 9])
    second = SecondOpinion("Another.", time_ns, np.array([1.0, 4.0, 9.0, 9.0, 9.0]))
    text = " ".join(page(replace(reading, second=second)).split())
    assert "On the 3 days on which both are known they differ by 2.0 points in the median" in text
    assert "furthest apart on 2022-01-01: 5.0 here, 9.0 there" in text


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    write_simulated(store, SimulationSpec(symbols=("BTCSIM",), days=120, seed=3))
    return store


def test_pages_of_a_simulated_market(simulated: Store, tmp_path: Path):
    hours = configured("simulated/spot/BTCSIM", "simulated/um_perp/BTCSIM")
    takers = subject(market=hours)
    derivatives = subject(
        name="premium",
        market=hours,
        analyser=Derivatives(),
        shown={
            "percent": feature("premium", "percent", clock="premium_index"),
            "band": feature("premium", "band", clock="premium_index"),
        },
        line="percent",
        states={"band": {3: "normal"}},
    )
    done = list(readings(simulated, (takers, derivatives)))
    texts = [write(reading, tmp_path / "pages") for reading in done]
    names = {path.name for path in (tmp_path / "pages").iterdir()}
    assert names == {"takers.md", "takers.svg", "premium.md", "premium.svg"}
    for reading, text in zip(done, texts, strict=True):
        assert firing_table(reading) in text
        assert text == page(reading)
    again = [
        write(reading, tmp_path / "again") for reading in readings(simulated, (takers, derivatives))
    ]
    assert again == texts
    listed = contents(done)
    assert "[Takers & makers](premium.md)" in listed
    basis = feature("dated_basis", "percent", clock="dated_futures&index_price")
    absent = subject(market=hours, line="a", shown={"a": basis})
    with pytest.raises(DataError, match=r"the market of BTCSIM lacks what dated_basis\.percent"):
        list(readings(simulated, (absent,)))


def test_the_season_of_the_lists_is_that_of_a_hand_made_example(tmp_path: Path):
    """Of five coins two beat bitcoin; stable coins do not count, one that is gone has not beaten it."""
    months = [
        int(datetime(2021, month, 1, tzinfo=UTC).timestamp()) * 10**9 for month in range(1, 6)
    ]
    growth = {"bitcoin": 1.1, "ethereum": 1.2, "solana": 1.05, "cardano": 1.3, "ripple": 1.0}
    tickers = {
        "bitcoin": "BTC",
        "ethereum": "ETH",
        "solana": "SOL",
        "cardano": "ADA",
        "ripple": "XRP",
    }
    tickers |= {"tether": "USDT", "gone": "GONE"}
    rows = [
        (time, name, ticker, rank, growth.get(name, 1.0) ** step)
        for step, time in enumerate(months)
        for rank, (name, ticker) in enumerate(tickers.items(), start=1)
        if name != "gone" or step < 2
    ]
    time, asset, symbol, rank, price = zip(*sorted(rows), strict=True)
    store = Store(tmp_path / "store")
    store.write(
        DatasetKey("universe", "coinmarketcap", "coins", "all", "event", "lists"),
        pa.table(
            {
                "event_time": pa.array(time, pa.int64()),
                "asset": pa.array(asset),
                "symbol": pa.array(symbol),
                "rank": pa.array(rank, pa.int64()),
                "price_usd": pa.array(price),
            }
        ),
        provenance={},
    )
    second = monthly_season(store)
    assert second.time_ns.tolist() == months[3:]
    np.testing.assert_allclose(second.value, [40.0, 40.0])


def test_every_subject_has_its_page_and_they_are_small():
    names = [one.name for one in SUBJECTS]
    assert len(set(names)) == len(names)
    pages = {path.name for path in DOCS.iterdir()}
    assert pages == {"README.md", *(f"{name}{end}" for name in names for end in (".md", ".svg"))}
    assert sum(path.stat().st_size for path in DOCS.glob("*.svg")) < MOST_BYTES
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(([a-z-]+)\.md\)", text) == names


@pytest.mark.parametrize("one", SUBJECTS, ids=lambda one: one.name)
def test_subjects_name_outputs_that_exist(one: Subject):
    for alias, wanted in one.shown.items():
        INDICATORS_BY_NAME[wanted.indicator].output_index(wanted.output)
        assert alias in {*one.shown}
    shown = {one.line, *one.states, *(episode.shown for episode in one.episodes)}
    shown |= {name for name in (one.side, one.known_by) if name is not None}
    assert shown <= set(one.shown)
    assert all(episode.first <= episode.last for episode in one.episodes)
    page_text = (DOCS / f"{one.name}.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\d\. ", page_text, re.MULTILINE)) == len(one.episodes)


@pytest.mark.real
def test_real_files_give_the_pages_of_the_documentation(real_data: Path, tmp_path: Path):
    chosen = [one for one in SUBJECTS if one.name in ("exchange-reserves", "kimchi-premium")]
    assert chosen[1] is moods.KIMCHI
    reserves, kimchi = review(real_data, tmp_path, chosen)
    for one in chosen:
        for end in (".md", ".svg"):
            name = f"{one.name}{end}"
            assert (tmp_path / name).read_bytes() == (DOCS / name).read_bytes(), name
    after_ftx = found(reserves)[0]
    assert after_ftx.value < -5.0
    january: Float1D = kimchi.line
    assert np.nanmax(january) > 50.0
