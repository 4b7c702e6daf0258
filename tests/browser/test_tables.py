"""Tables in a narrow window: a row keeps its name, what is cut off shows it; numbers in cells are read."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Locator

from experiments.pages import Chart, Document, Number, Section, Table
from experiments.pages.html import html_text
from experiments.pages.plots import axis, heatmap, line, time_axis
from tests.browser.looking import LOOKS, NARROW, View, opened

pytestmark = pytest.mark.browser
SENTENCE = (
    "mean of the returns ÷ their deviation × √(bars a year), and what else is to be said of it"
)
WIDE = Table(
    name="wide",
    caption="Many numbers",
    columns=("", *(f"column {place}" for place in range(9))),
    rows=tuple(
        (name, *(Number(-421_106.17 * place, "ratio") for place in range(9)))
        for name in ("stop", "not known yet", "AVERYLONGSYMBOLNAMEWITHOUTASPACE-PERP")
    ),
)
EXPLAINED = Table(
    name="explained",
    caption="Metrics",
    columns=("metric", "run", "buy and hold", "what it is"),
    rows=tuple(
        (name, Number(1_600_000_000.0, "unix seconds"), Number(-1.5, "ratio"), SENTENCE)
        for name in ("Sharpe", "conditional value at risk, 95 %")
    ),
)
HASHES = Table(
    name="hashes",
    caption="Where it comes from",
    columns=("", ""),
    rows=(
        ("configuration", "d02c28e20d350a88fcb5f25e23d37acb" * 2),
        ("versions", "numpy 2.4 " * 9),
    ),
)


CELLS = Chart(
    name="cells",
    title="Cells from one end of the colours to the other",
    text="Forty-one numbers, each in a cell of its own.",
    data=(
        heatmap(
            list(range(41)), ["a"], np.linspace(-1, 1, 41)[None, :], zmin=-1, zmax=1,
            text=[["8"] * 41], texttemplate="%{text}", showscale=False,
        ),
    ),
)  # fmt: skip

LINE = Chart(
    name="line",
    title="A line over time",
    text="Three points, an hour apart, from one to three.",
    data=(line(np.array([0.0, 3.6e6, 7.2e6]), np.array([1.0, 2.0, 3.0]), "run"),),
    layout={"xaxis": time_axis(), "yaxis": axis("height"), "hovermode": "x unified"},
)


@pytest.fixture(scope="module", params=LOOKS, ids=[f"{width}-{scheme}" for width, scheme in LOOKS])
def view(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[View, int]]:
    section = Section(name="all", title="All", blocks=(WIDE, EXPLAINED, HASHES, CELLS, LINE))
    path = tmp_path_factory.mktemp("tables") / "page.html"
    document = Document(title="Tables", subtitle="Made for a test", sections=(section,))
    path.write_text(html_text(document), encoding="utf-8")
    width, scheme = request.param
    with opened(browser, path.as_uri(), width, scheme) as seen:
        yield seen, width


def overflow(scroll: Locator) -> int:
    """Pixels of a table that are out of sight."""
    hidden: int = scroll.evaluate("one => one.scrollWidth - one.clientWidth")
    return hidden


def box_of(shown: Locator) -> FloatRect:
    box = shown.bounding_box()
    assert box is not None
    return box


def edge_shades(view: View, scroll: Locator) -> list[int]:
    """Brightness of the pixels along the right edge of a table's last rows, from the left."""
    box = box_of(scroll)
    shot = view.page.screenshot(
        clip={"x": box["x"] + box["width"] - 16, "y": box["y"] + 3, "width": 16, "height": 1}
    )
    found: list[int] = view.page.evaluate(
        """async bytes => {
          const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
          const context = new OffscreenCanvas(16, 1).getContext('2d');
          context.drawImage(picture, 0, 0);
          const {data} = context.getImageData(0, 0, 16, 1);
          return Array.from({length: 16}, (_, at) => data[4 * at] + data[4 * at + 1] + data[4 * at + 2]);
        }""",
        list(shot),
    )
    return found


def test_nothing_is_wrong_with_the_page(view: tuple[View, int]):
    assert view[0].problems() == []


def test_a_table_that_scrolls_shows_it_and_keeps_the_names(view: tuple[View, int]):
    seen, width = view
    scroll = seen.page.locator("#wide .scroll")
    name, number = scroll.locator("tbody tr").nth(2).locator("th, td").all()[:2]
    assert overflow(scroll) > 100
    assert width != NARROW or box_of(name)["width"] <= 0.41 * width
    before = box_of(name)["x"], box_of(number)["x"]
    shades = edge_shades(seen, scroll)
    assert abs(shades[-1] - shades[0]) > 60, "no shadow where more is to be seen"
    scroll.evaluate("one => one.scrollLeft = one.scrollWidth")
    assert box_of(name)["x"] == before[0]
    assert box_of(number)["x"] < before[1] - 100
    shades = edge_shades(seen, scroll)
    assert max(shades) - min(shades) <= 3, "a shadow where nothing is left"
    scroll.evaluate("one => one.scrollLeft = 0")


def test_sentences_stand_below_their_row_on_a_phone(view: tuple[View, int]):
    seen, width = view
    scroll = seen.page.locator("#explained .scroll")
    assert overflow(scroll) == 0
    for row in scroll.locator("tbody tr").all():
        name, run, held, told = (box_of(one) for one in row.locator("th, td").all())
        assert name["x"] < run["x"] < held["x"]
        if width == NARROW:
            assert told["y"] >= max(one["y"] + one["height"] for one in (name, run, held)) - 1
            assert told["width"] > 0.8 * width
        else:
            assert told["y"] == name["y"]
            assert told["x"] > held["x"]


def test_numbers_stand_one_under_the_other(view: tuple[View, int]):
    rows = view[0].page.locator("#explained tbody tr").all()
    for place in (1, 2):
        boxes = [box_of(row.locator("th, td").nth(place)) for row in rows]
        assert len({round(box["x"] + box["width"]) for box in boxes}) == 1


def test_a_hash_is_broken_not_cut(view: tuple[View, int]):
    assert overflow(view[0].page.locator("#hashes .scroll")) == 0


def test_what_is_pointed_at_has_its_hour_and_one_thin_line(view: tuple[View, int]):
    seen, _ = view
    plot = seen.page.locator("#line .plot")
    plot.scroll_into_view_if_needed()
    box = box_of(seen.page.locator("#line .nsewdrag"))
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen.page.wait_for_selector("#line .hoverlayer text", state="attached")
    assert "1970-01-01 01:00" in str(plot.locator(".hoverlayer").text_content())
    lines = plot.locator(".spikeline").evaluate_all(
        """all => all.map(one => [
          one.getAttribute('x1') === one.getAttribute('x2'), getComputedStyle(one).strokeWidth,
        ])"""
    )
    assert lines
    assert all(one == [True, "1px"] for one in lines), lines
    seen.page.mouse.move(1, 1)


def luminance(colour: list[float]) -> float:
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_dark_numbers_in_coloured_cells_stand_out(view: tuple[View, int]):
    """WCAG asks 4.5 to 1 of small text."""
    seen, _ = view
    scale = seen.page.evaluate("['down', 'soft', 'up'].map(one => page.colour('@' + one))")
    ends = np.array([[int(one[at : at + 2], 16) / 255 for at in (1, 3, 5)] for one in scale])
    fills = seen.page.locator("#cells .heatmap-label text").evaluate_all(
        "all => all.map(one => getComputedStyle(one).fill.match(/[0-9]+/g).map(part => part / 255))"
    )
    assert len(fills) == 41
    judged = 0
    for place, fill in zip(np.linspace(0, 2, 41), fills, strict=True):
        first = min(int(place), 1)
        ground = ends[first] + (place - first) * (ends[first + 1] - ends[first])
        if fill != [1, 1, 1]:
            judged += 1
            assert (luminance(ground.tolist()) + 0.05) / (luminance(fill) + 0.05) >= 4.5, place
    assert judged > 10
