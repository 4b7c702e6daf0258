"""One description, four formats: the same numbers in each, and no way for text to become markup."""

import base64
import gzip
import hashlib
import json
import math
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from plotly.io import from_json

from engine import ConfigError, ContractError, DataError
from experiments.formats import formatted
from experiments.pages import (
    Chart,
    Code,
    Document,
    Fold,
    Number,
    PriceChart,
    Section,
    Switch,
    Table,
    Text,
    Tile,
    Tiles,
    html,
    pdf,
    plots,
)
from experiments.pages.code_parts import code_parts
from experiments.pages.plain import document_json, markdown_text

EVIL = "</script><img src=x onerror=alert(1)>&amp;\u2028|`*_"
ASSETS = Path(html.__file__).parent / "assets"


def page_of(words: str = "words", values: tuple[float | None, ...] = (1.5, None)) -> Document:
    """A page with every kind of block, ``words`` wherever a user's text may come."""
    numbers = tuple(Number(value, "ratio") for value in values)
    table = Table(
        name="table",
        caption=words,
        columns=(words, *(f"c{at}" for at in range(len(values)))),
        rows=((words, *numbers),),
        note=words,
    )
    chart = Chart(
        name="chart",
        title=words,
        text=words,
        data=(
            plots.line(np.array([0.0, 1.0, 2.0]), np.array([1.0, np.nan, 3.0]), words),
            plots.heatmap([words], ["a", "b"], np.array([[1.0], [2.0]])),
        ),
        layout={"yaxis": plots.axis(words)},
        table=Table(name="behind", caption=words, columns=("a",), rows=((words,),)),
        switches=(Switch(label=words, layout={"yaxis.type": "log"}),),
    )
    prices = PriceChart(name="prices", title=words, text=words, payload={"symbols": [words]})
    return Document(
        title=words,
        subtitle=words,
        badges=(words,),
        verdict=(Text(paragraphs=(words,), tone="bad"),),
        tiles=Tiles(tiles=(Tile(label=words, value=Number(2.5, "fraction"), note=words),)),
        facts={"name": words, "value": math.nan},
        sections=(
            Section(name="one", title=words, lead=words, blocks=(table, chart)),
            Section(
                name="two",
                title=words,
                blocks=(
                    prices,
                    Code(text=words, summary=words),
                    Fold(summary=words, blocks=(Text(paragraphs=(words,), is_list=True),)),
                ),
            ),
        ),
    )


class Seen(HTMLParser):
    """Tags, text outside scripts, the values of ``data`` elements with their texts, and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[tuple[str, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input"):
            self._open.append(tag)
        if tag == "data":
            self.data.append((dict(attrs)["value"] or "", ""))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" in self._open:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif "data" in self._open:
            self.data[-1] = (self.data[-1][0], self.data[-1][1] + data)
        elif "style" not in self._open:
            self.words.append(data)


def numbers_of(value: Any) -> list[tuple[float | None, str]]:
    """Every number with a unit in the JSON of a page, in its order."""
    if isinstance(value, dict):
        if {"value", "unit"} <= set(value):
            return [(value["value"], value["unit"])]
        return [one for key, item in value.items() if key != "facts" for one in numbers_of(item)]
    if isinstance(value, list):
        return [one for item in value for one in numbers_of(item)]
    return []


finite = st.none() | st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(finite, min_size=1, max_size=6).map(tuple))
def test_the_page_shows_the_numbers_of_the_json(values: tuple[float | None, ...]):
    document = page_of(values=values)
    stated = numbers_of(json.loads(json.dumps(document_json(document), allow_nan=False)))
    shown = Seen(html.html_text(document)).data
    assert [(None if text == "" else float(text)) for text, _ in shown] == [
        one for one, _ in stated
    ]
    assert [text for _, text in shown] == [formatted(*one) for one in stated]
    lines = markdown_text(document).splitlines()
    row = lines[next(at for at, line in enumerate(lines) if "| c0 " in line) + 2]
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [
        formatted(value, "ratio") for value in values
    ]


def test_what_is_undefined_is_n_a_in_every_format():
    for value in (math.nan, math.inf, -math.inf, None):
        assert Number(value, "fraction").text == "n/a"
    assert Number(0.0, "fraction").text == "0.00%"
    assert Number(0.1, "fraction", is_change=True).text == "+10.00%"
    assert Number(-0.1, "fraction", is_change=True).text == "-10.00%"
    document = page_of(values=(math.nan, math.inf))
    assert "nan" not in json.dumps(document_json(document), allow_nan=False).lower()
    assert document_json(document)["facts"]["value"] is None
    assert markdown_text(document).count("n/a") == 2


def test_no_text_becomes_markup():
    plain, evil = (Seen(html.html_text(page_of(words))) for words in ("words", EVIL))
    assert [tag for tag, _ in plain.tags] == [tag for tag, _ in evil.tags]
    assert not any(tag == "img" for tag, _ in evil.tags)
    assert EVIL in "".join(evil.words)
    figures = [text for attrs, text in evil.scripts if attrs.get("type") == "application/json"]
    name = json.loads(figures[0])["data"][0]["name"]
    assert name == "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;\u2028|`*_"
    assert "\u2028" not in "".join(figures)


def test_paper_names_the_page_and_no_title_ends_the_style():
    """What stands between the quotes of the footer is letters, digits and escapes by number."""
    for title in ("btc_1h", EVIL, 'x"; } } body { display: none', "a\\b\nc"):
        text = html.html_text(page_of(title))
        style = text[text.index("<style>") + 7 : text.index("</style>")]
        footer = style.rsplit("@bottom-left", 1)[1]
        found = re.fullmatch(r' \{ content: "([^"]*)"; font: [^{}<]*\} \} \}', footer)
        assert found is not None, footer
        assert re.fullmatch(r"(?:[A-Za-z0-9 .-]|\\[0-9a-f]{1,6} )*", found[1])
        read = re.sub(r"\\([0-9a-f]+) ", lambda one: chr(int(one[1], 16)), found[1])
        assert read == title


def test_sentences_of_a_table_are_marked_where_it_explains_numbers():
    def table(*row: str | Number) -> Table:
        return Table(name="t", caption="t", columns=("",) * len(row), rows=(row,))

    one, long = Number(1.0, "ratio"), "words " * 9
    assert html._amounts(table("a", one, long)) == 1
    assert html._amounts(table("a", one, one, long)) == 2
    for other in (
        table("a", one, one, one, long),
        table("a", long),
        table("a", one, "short"),
        table("a", "b", one, long),
        table("a", one),
    ):
        assert html._amounts(other) == 0


@given(st.text(max_size=60))
def test_any_text_comes_back_from_the_page(words: str):
    # A parser of HTML has one kind of line end, and no NUL.
    words = re.sub(r"[\r\x00]", "", words) or "x"
    seen = Seen(html.html_text(page_of(words)))
    assert words in "".join(seen.words)
    stated = document_json(page_of(words))
    assert stated["title"] == words
    assert json.loads(json.dumps(stated)) == stated


@given(st.text(alphabet="ab`|<\n ", max_size=30))
def test_backticks_in_pairs_are_code_and_nothing_is_lost(text: str):
    parts = code_parts(text)
    paired = text.count("`") // 2 * 2
    assert sum(is_code for is_code, _ in parts) <= paired // 2
    assert "".join(part for _, part in parts).replace("`", "") == text.replace("`", "")
    if paired == 0:
        assert parts == ([(False, text)] if text else [])


def test_code_is_shown_as_code():
    document = page_of("see `ninefold runs <b>` for more ` of it")
    shown = html.html_text(document)
    assert "see <code>ninefold runs &lt;b&gt;</code> for more ` of it" in shown
    assert "see `ninefold runs <b>` for more \\` of it" in markdown_text(document)


@pytest.mark.parametrize(
    ("widths", "shown"),
    [
        (["half", "half"], ["half", "half"]),
        (["half", "half", "half"], ["half", "half", "full"]),
        (["half", "full", "half", "half"], ["full", "full", "half", "half"]),
        ([], []),
    ],
)
def test_a_half_beside_nothing_is_as_wide_as_the_page(widths: list[Any], shown: list[str]):
    blocks = [
        Table(name=f"t{at}", caption="c", columns=(), rows=(), width=width)
        for at, width in enumerate(widths)
    ]
    assert [width for _, width in html.laid(blocks)] == shown


def test_text_is_text_in_markdown_too():
    lines = markdown_text(page_of(EVIL)).splitlines()
    assert all(
        "<img" not in line.replace("\\<img", "")
        for line in lines
        if not line.startswith("</script>")
    )
    fenced = lines[lines.index("```") + 1]
    assert fenced.startswith("</script>")
    ticks = markdown_text(
        Document(
            title="x",
            subtitle="",
            sections=(Section(name="s", title="s", blocks=(Code(text="```\na"),)),),
        )
    )
    assert "````" in ticks


@given(
    hnp.arrays(
        dtype=st.sampled_from(
            [np.float64, np.float32, np.int32, np.int16, np.int8, np.uint8, np.uint32]
        ),
        shape=hnp.array_shapes(min_dims=1, max_dims=2, max_side=7),
    )
)
def test_packed_arrays_are_those_that_plotly_reads(values: np.ndarray[Any, Any]):
    """Plotly's own Python package decodes what is packed here."""
    stated = html.packed(values)
    text = json.dumps(
        {"data": [{"type": "scatter", "y": stated if values.ndim == 1 else None}], "layout": {}}
    )
    if values.ndim == 1:
        read = np.asarray(from_json(text).data[0].to_plotly_json()["y"])
        if read.dtype.kind in "fiu":
            np.testing.assert_array_equal(read, values)
    raw = np.frombuffer(base64.b64decode(stated["bdata"]), dtype=f"<{stated['dtype']}")
    np.testing.assert_array_equal(raw.reshape(values.shape), values)


def test_packed_values():
    assert html.packed({"a": (np.float64("nan"), math.inf, np.int64(3), True)}) == {
        "a": [None, None, 3, True]
    }
    assert html.packed(np.array([2**40]))["dtype"] == "f8"
    assert html.packed(np.array([True, False]))["dtype"] == "i1"
    assert html.packed(np.array(["<", "b"], dtype=object)) == ["<", "b"]
    assert html.drawable(np.array(["<", "b"], dtype=object)) == ["&lt;", "b"]
    assert html.drawable("a\n<b><extra></extra>") == "a<br>&lt;b&gt;<extra></extra>"


def test_the_page_fetches_nothing():
    text = html.html_text(page_of())
    seen = Seen(text)
    addresses = [
        value
        for _, attrs in seen.tags
        for name, value in attrs.items()
        if name in ("src", "href", "srcset", "action", "poster") and value
    ]
    assert {one for one in addresses if not one.startswith("#")} == {"data:,"}
    assert "default-src 'none'" in text
    assert "home" not in [attrs.get("class") for _, attrs in seen.tags]
    assert 'href="/"' in html.html_text(page_of(), home="/")


def test_every_picture_is_told_in_words_and_has_a_heading():
    seen = Seen(html.html_text(page_of()))
    ids = [attrs["id"] for _, attrs in seen.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    figures = [attrs for tag, attrs in seen.tags if tag == "figure"]
    assert len(figures) == 2
    for one in figures:
        assert {one["aria-labelledby"], one["aria-describedby"]} <= set(ids)
    levels = [int(tag[1]) for tag, _ in seen.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_script_of_plotly_is_the_published_one():
    content = (ASSETS / html.PLOTLY).read_bytes()
    assert hashlib.sha256(content).hexdigest() == html.PLOTLY_SHA256
    scripts = [
        text
        for attrs, text in Seen(html.html_text(page_of())).scripts
        if attrs.get("id") == "plotly"
    ]
    assert gzip.decompress(base64.b64decode(scripts[0])) == content


def test_every_word_of_the_palette_has_both_colours():
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    for word in plots.PALETTE:
        assert re.search(rf"--{word}: #[0-9a-f]{{6}};", light), word
        assert re.search(rf"--{word}: #[0-9a-f]{{6}};", dark), word


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_lines_stand_out_from_the_page(scheme: int):
    """WCAG 2.1: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    part = style.split("@media (prefers-color-scheme: dark)")[scheme]
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", part))
    for ground in ("paper", "card"):
        for word, least in (
            *((one, 4.5) for one in ("ink", "muted", "accent", "up", "down")),
            *((f"hue{at}", 3.0) for at in range(9)),
            *((one, 3.0) for one in ("won", "lost")),
        ):
            one, other = sorted((luminance(colours[word]), luminance(colours[ground])))
            assert (other + 0.05) / (one + 0.05) >= least, (word, ground)


def test_parts_have_names_of_their_own():
    words = Text(paragraphs=("x",))
    with pytest.raises(ContractError, match="two parts"):
        Document(
            title="t",
            subtitle="",
            sections=(
                Section(name="a", title="a", blocks=(words,)),
                Section(name="a", title="b", blocks=(words,)),
            ),
        )
    with pytest.raises(ContractError, match="lower-case"):
        Section(name="A b", title="a", blocks=(words,))
    with pytest.raises(ContractError, match="1 cells under 2"):
        Table(name="t", caption="", columns=("a", "b"), rows=(("x",),))
    with pytest.raises(ContractError, match="words"):
        Chart(name="c", title="", text="", data=({},))


def test_a_pdf_needs_a_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(pdf.BROWSER_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="none was found"):
        pdf.write_pdf("<p>x", tmp_path / "a.pdf")
    program = tmp_path / "browser"
    program.write_text(
        f"#!{shutil.which('sh', path='/bin:/usr/bin')}\necho no display >&2\nexit 3\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, str(program))
    with pytest.raises(DataError, match=r"exit code 3.*no display"):
        pdf.write_pdf("<p>x", tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()
