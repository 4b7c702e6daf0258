"""The linked chart in a browser: what a reader points at is what the tables say of that bar."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from datasets import Store, write_simulated
from experiments import RunResult, config_of, load_run, run
from experiments.pages import Document, PriceChart, Section
from experiments.pages.html import html_text
from experiments.report.price_chart import price_chart_blocks
from experiments.report.reading import RunReading
from tests.browser.looking import LOOKS, NARROW, Scheme, opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    config = config_of(
        {
            "name": "chart",
            "data": {"simulated": {"symbols": ["AAASIM", "BBBSIM"], "days": 30, "mode": "null"}},
            "consensus": {"quorum": 2},
        }
    )
    store = Store(tmp_path_factory.mktemp("store"))
    assert config.simulation is not None
    write_simulated(store, config.simulation)
    return run(config, store=store, runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def chart(result: RunResult) -> PriceChart:
    assert result.run_dir is not None
    (block,) = price_chart_blocks(RunReading(load_run(result.run_dir)))
    assert isinstance(block, PriceChart)
    return block


@pytest.fixture(scope="module")
def url(chart: PriceChart, tmp_path_factory: pytest.TempPathFactory) -> str:
    section = Section(name="market", title="Prices and votes", blocks=(chart,))
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(html_text(Document(title="t", subtitle="s", sections=(section,))))
    return path.as_uri()


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    with opened(browser, url) as view:
        yield view.page
        assert view.heard == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_is_drawn_at_every_width_and_in_both_schemes(
    browser: Browser, url: str, width: int, scheme: Scheme
):
    with opened(browser, url, width, scheme) as view:
        assert view.problems() == []
        ink = view.page.evaluate(
            """() => { const canvas = document.querySelector('figure.prices canvas');
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Set(); for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200)
            seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]); return seen.size; }"""
        )
        assert ink > 5


def test_reasons_stand_with_their_own_head_on_a_phone(browser: Browser, url: str):
    """Every part of a line is nearer to the others of it than to the next head."""
    with opened(browser, url, NARROW) as view:
        view.page.locator("figure.prices canvas").focus()
        view.page.keyboard.press("End")
        lines: list[dict[str, float]] = []
        for _ in range(40):
            lines += view.page.locator(".readout li").evaluate_all(
                """all => all.map(one => {
                  const boxes = [...one.children].filter(part => part.textContent).map(part => {
                    const range = document.createRange();
                    range.selectNodeContents(part);
                    return range.getBoundingClientRect();
                  });
                  const below = boxes[boxes.length - 1];
                  const above = boxes.slice(0, -1).filter(box => box.bottom <= below.top + 1);
                  const next = one.nextElementSibling?.firstElementChild.getBoundingClientRect();
                  return {
                    own: below.top - Math.max(...above.map(box => box.bottom)),
                    next: next ? next.top - below.bottom : 99,
                    isBelow: above.length === boxes.length - 1,
                  };
                })"""
            )
            view.page.keyboard.press("ArrowLeft")
        below = [one for one in lines if one["isBelow"]]
        assert len(below) > 10
        worst = min(below, key=lambda one: one["next"] - one["own"])
        assert worst["next"] - worst["own"] > 4, worst


def told(page: Page) -> str:
    return page.locator(".readout").inner_text()


def test_every_vote_that_is_read_is_the_one_in_the_table(page: Page, result: RunResult):
    votes, prices = result.frame("votes"), result.frame("prices")
    votes = votes[votes["symbol"] == "AAASIM"].reset_index(drop=True)
    prices = prices[prices["symbol"] == "AAASIM"].reset_index(drop=True)
    page.locator("figure.prices canvas").focus()
    page.keyboard.press("End")
    heads, limits = result.votes["AAASIM"].names, result.config.consensus
    spoke = [
        name for name in result.votes["AAASIM"].names if (votes[f"{name}_direction"] != 0).any()
    ]
    assert len(spoke) > 4
    for back in range(40):
        row = len(prices) - 1 - back
        vote, text = votes.loc[row], told(page)
        opened_at = pd.Timestamp(prices["open_time"][row])
        assert text.startswith(f"{opened_at:%Y-%m-%d %H:%M} to {vote['time']:%Y-%m-%d %H:%M}")
        lines = {line.split("\n")[0].lower(): line for line in _heads(page)}
        for name in result.votes["AAASIM"].names:
            line = lines[name.replace("_", " ")]
            direction = vote[f"{name}_direction"]
            if direction:
                stated = (
                    f"p {round(100 * vote[f'{name}_probability']) / 100:.2f}, "
                    f"confidence {round(100 * vote[f'{name}_confidence']) / 100:.2f}"
                )
                assert ("long" if direction > 0 else "short") in line
                assert stated in line
                is_strong = (
                    vote[f"{name}_probability"] >= result.config.consensus.p_min
                    and vote[f"{name}_confidence"] >= result.config.consensus.c_min
                )
                assert ("too weak to count" in line) == (not is_strong)
            else:
                assert "no vote" in line or "no data" in line
        gate = vote["consensus_gate"]
        if gate == "tie":
            strong = [
                vote[f"{head}_direction"]
                for head in heads
                if vote[f"{head}_probability"] >= limits.p_min
                and vote[f"{head}_confidence"] >= limits.c_min
            ]
            assert f"a tie: {strong.count(1)} long, {strong.count(-1)} short," in text
            assert strong.count(1) == strong.count(-1) > 0
        else:
            ahead, against = vote["consensus_votes_for"], vote["consensus_votes_against"]
            assert f"{ahead} for, {against} against" in text
        assert ("it stands" if gate == "stands" else gate.replace("_", " ")) in text
        page.keyboard.press("ArrowLeft")


def _heads(page: Page) -> list[str]:
    return page.locator(".readout li").evaluate_all(
        "all => all.map(one => [...one.children].map(part => part.textContent).join('\\n'))"
    )


@pytest.mark.parametrize("back", [0, 100])
def test_the_zones_known_on_a_bar_are_those_of_the_table(page: Page, result: RunResult, back: int):
    zones, prices = result.frame("zones"), result.frame("prices")
    zones = zones[zones["symbol"] == "AAASIM"]
    close = prices[prices["symbol"] == "AAASIM"]["time"].iloc[-1 - back]
    lives = zones.groupby(["head", "detector", "type"])["end_time"].transform("count") > 0
    boxes = (zones["top"] > zones["bottom"]).groupby(
        [zones["head"], zones["detector"], zones["type"]]
    )
    is_shown = lives & boxes.transform("any")
    known = zones[
        is_shown
        & (zones["known_time"] <= close)
        & (zones["end_time"].isna() | (zones["end_time"] > close))
    ]
    assert len(known) > 6
    page.get_by_role("button", name="Show all bars").click()
    page.locator("figure.prices canvas").focus()
    while page.get_by_role("button", name="Zones of the heads").is_disabled():
        page.keyboard.press("+")
        page.wait_for_timeout(40)
    page.keyboard.press("End")
    for _ in range(back):
        page.keyboard.press("ArrowLeft")
    text = page.locator(".readout .zones").inner_text()
    assert text.endswith(f"and {len(known) - 6} more")
    price = prices[prices["symbol"] == "AAASIM"]["close"].iloc[-1 - back]
    first = text.removeprefix("known here, nearest to the close first: ").split(";")[0]
    # Prices are drawn from 32-bit numbers, of which seven digits are told.
    told_prices = [float(one.replace(",", "")) for one in re.findall(r"[\d,]*\d\.?\d*", first)][-2:]
    least = (known["bottom"] - price).combine(price - known["top"], max).clip(lower=0).min()
    assert max(0.0, min(told_prices) - price, price - max(told_prices)) == pytest.approx(
        least, abs=1e-6 * price
    )


def test_pointing_reads_the_bar_under_the_pointer(page: Page, result: RunResult):
    page.get_by_role("button", name="Show all bars").click()
    canvas = page.locator("figure.prices canvas")
    box = canvas.bounding_box()
    assert box is not None
    bars = len(result.votes["AAASIM"])
    left, right = 118, 68
    for share in (0.05, 0.5, 0.93):
        page.mouse.move(box["x"] + left + share * (box["width"] - left - right), box["y"] + 100)
        expected = result.frame("prices")["open_time"][int(share * bars)]
        shown = pd.Timestamp(told(page)[:16])
        assert abs((shown - expected) / pd.Timedelta(hours=1)) <= 1


def test_zoom_layers_and_symbols_answer(page: Page):
    canvas = page.locator("figure.prices canvas")
    painted = canvas.evaluate("one => one.toDataURL()")
    states = [painted]
    for press in (
        lambda: page.get_by_role("button", name="Zoom in").click(),
        lambda: page.get_by_role("button", name="Fills and trades").click(),
        lambda: page.get_by_role("button", name="Zones of the heads").click(),
        lambda: page.get_by_role("button", name="Logarithmic prices").click(),
        lambda: page.get_by_role("combobox", name="Symbol").select_option("1"),
    ):
        press()
        page.wait_for_timeout(60)
        states.append(canvas.evaluate("one => one.toDataURL()"))
    assert all(one != other for one, other in pairwise(states))
    assert (
        page.get_by_role("button", name="Fills and trades").get_attribute("aria-pressed") == "false"
    )


def test_a_browser_that_cannot_draw_says_so(browser: Browser, chart: PriceChart, tmp_path: Path):
    broken = PriceChart(name="prices", title="t", text="t", payload={"symbols": [{}], "gates": []})
    section = Section(name="market", title="m", blocks=(broken,))
    path = tmp_path / "page.html"
    path.write_text(html_text(Document(title="t", subtitle="s", sections=(section,))))
    with opened(browser, path.as_uri()) as view:
        assert "could not draw the prices" in view.page.locator(".linked").inner_text()
        assert view.page.locator("figure.prices").get_attribute("data-drawn") == "failed"
        assert any("console error" in one for one in view.heard)
