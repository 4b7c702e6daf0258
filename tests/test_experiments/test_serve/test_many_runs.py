"""Two thousand runs: each record is read once, memory stays flat, and lists are sorted as by hand."""

import gc
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from experiments.serve.listing import COLUMNS, PAGE_ROWS, page_of, run_query
from experiments.serve.run_index import RunIndex
from experiments.serve.summaries import RunSummary
from tests.test_experiments.test_serve.serving import Server, serving

MANY = 2_000
STEPS = ("15m", "1h", "4h", "1d")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records with what a list shows, without the rest that makes real ones a hundred times as large."""
    runs = tmp_path_factory.mktemp("many")
    random = Random(7)
    for number in range(MANY):
        day = f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}"
        folder = runs / f"{day.replace('-', '')}T000000Z-run-{number:04d}"
        folder.mkdir()
        undefined = number % 10 == 0
        content = {
            "schema_version": 3, "name": f"run {number}", "created_at": f"{day}T00:00:00Z",
            "timeframe": STEPS[number % 4], "symbols": ["BTCUSDT", f"C{number % 7}USDT"],
            "start_time": "2023-01-01 00:00", "end_time": "2024-01-01 00:00", "bars": number,
            "simulated": number % 2 == 0, "decisions_from": "consensus", "ruined_bar": None,
            "n_trades": random.randrange(500), "artefacts": {},
            "metrics": {"total_return": random.gauss(0, 1), "max_drawdown": random.random(),
                        "sharpe": None if undefined else random.gauss(0, 1)},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(content))
    return runs


@pytest.fixture(scope="module")
def index(many: Path) -> RunIndex:
    made = RunIndex(many)
    assert made.listed(patience_seconds=60).waiting == 0
    return made


@pytest.fixture(scope="module")
def server(many: Path) -> Iterator[Server]:
    with serving(many) as running:
        running.site.run_index.listed(patience_seconds=60)
        yield running


def test_each_record_is_read_once(server: Server):
    index = server.site.run_index
    assert index.reads == MANY
    for page in (1, 2, 40):
        assert server.ask(f"/?page={page}").text.count("<tr>") == 1 + PAGE_ROWS
        index.look_again()
    assert index.reads == MANY


def test_memory_is_flat_over_many_requests(server: Server):
    def ask(times: int) -> None:
        for number in range(times):
            assert server.ask(f"/?page={number % 40 + 1}&sort=-sharpe&text=run").status == 200

    ask(60)
    gc.collect()
    tracemalloc.start()
    try:
        ask(20)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        ask(80)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A row that were kept for each request would be some 50 kB a request.
    assert after - before < 300_000


def test_a_list_that_is_still_being_read_says_so(many: Path):
    index = RunIndex(many)
    early = index.listed(patience_seconds=0.0)
    assert len(early.runs) + early.waiting == MANY
    late = index.listed(patience_seconds=60.0)
    assert (len(late.runs), late.waiting, index.reads) == (MANY, 0, MANY)


def test_a_run_can_be_asked_for_before_it_was_read(many: Path):
    index = RunIndex(many)
    index.listed(patience_seconds=0.0)
    oldest = min(path.name for path in many.iterdir())
    found = index.find(oldest)
    assert found is not None
    assert found.run_id == oldest


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_column_sorts_all_pages_and_what_is_undefined_comes_last(
    index: RunIndex, column: str, sign: str
):
    runs = index.listed().runs
    query = run_query({"sort": f"{sign}{column}"})
    rows: list[RunSummary] = []
    while len(rows) < MANY:
        asked = run_query({"sort": query.sort, "page": str(1 + len(rows) // PAGE_ROWS)})
        rows += page_of(runs, asked).rows
    assert len({row.run_id for row in rows}) == MANY
    values = [getattr(row, COLUMNS[column]) for row in rows]
    if column == "timeframe":
        values = [STEPS.index(value) for value in values]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == known
    assert known == sorted(known, reverse=sign == "-")


def test_filters_are_those_of_a_plain_loop(index: RunIndex):
    runs = index.listed().runs
    asked = {"symbol": "c3usdt", "timeframe": "4h", "since": "2024-03-01", "until": "2024-09-30",
             "kind": "simulated", "text": "run 1"}  # fmt: skip
    expected = {
        run.run_id
        for run in runs
        if "C3USDT" in run.symbols and run.timeframe == "4h" and run.is_simulated
        and "2024-03-01" <= run.created_at[:10] <= "2024-09-30"
        and "run" in run.name + run.run_id and "1" in run.name + run.run_id
    }  # fmt: skip
    found = page_of(runs, run_query(asked))
    assert found.found == len(expected) > 0
    assert {row.run_id for row in found.rows} <= expected


def test_links_of_a_list_keep_its_filters():
    query = run_query({"text": "a&b", "sort": "sharpe", "page": "3"})
    assert query.link(page=4) == "/?text=a%26b&sort=sharpe&page=4"
    assert query.sorted_by("sharpe") == "/?text=a%26b&sort=-sharpe"
    assert query.sorted_by("trades") == "/?text=a%26b&sort=trades"
    assert run_query({}).link() == "/"
