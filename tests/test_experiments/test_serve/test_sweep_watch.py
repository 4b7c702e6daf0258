"""Sweeps while they grow: what was read stays read, and what is said follows the ledger."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from engine import DataError
from experiments.serve import documents, sweep_index
from experiments.serve.documents import Reports
from experiments.serve.sweep_index import MOST_WATCHED, SweepIndex
from experiments.serve.sweep_watch import SweepWatch
from experiments.sweeps.holdout import record_opening
from experiments.sweeps.identity import sweep_id
from tests.test_experiments.test_serve.ledgers import add_batch, made_ledger, sweep_tree
from tests.test_experiments.test_serve.serving import serving


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def at(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def test_a_sweep_that_grows_is_read_part_by_part(tmp_path: Path):
    ledger, clock = made_ledger(tmp_path, sweep_tree()), Clock()
    watch = SweepWatch(ledger, clock)
    at(ledger.folder / "sweep.json", clock.now)
    state, curve = watch.look()
    assert (state.words, state.trials, state.planned, state.best) == ("waiting", 0, 16, None)
    assert len(curve.trial) == 0

    at(add_batch(ledger, [0.5, None, 2.0, 1.0], states=["complete", "complete", "infeasible", "complete"]),
       clock.now)  # fmt: skip
    state, curve = watch.look()
    assert (state.words, state.trials, state.screened, state.infeasible) == ("running", 4, 4, 1)
    assert (state.best, state.best_trial, state.trials_a_second) == ((1.0,), 3, None)
    np.testing.assert_array_equal(curve.trial, [0, 3])
    np.testing.assert_array_equal(curve.best, [0.5, 1.0])
    assert watch.parts_read == 1

    clock.now += 2
    at(add_batch(ledger, [None, 0.75, 0.5, 3.0], states=["failed", *["complete"] * 3]), clock.now)
    clock.now += 2
    at(add_batch(ledger, [4.0, 1.0, 1.0, 1.0], stage="search"), clock.now)
    state, curve = watch.look()
    assert (state.trials, state.screened, state.failed) == (12, 8, 1)
    assert (state.best, state.best_trial) == ((4.0,), 8)
    assert (state.trials_a_second, state.seconds_left) == (2.0, 2.0)
    np.testing.assert_array_equal(curve.best, [0.5, 1.0, 1.0, 1.0, 3.0, 4.0, 4.0, 4.0, 4.0])
    assert watch.parts_read == 3
    watch.look()
    assert watch.parts_read == 3

    clock.now += 59
    assert watch.look()[0].words == "running"
    clock.now += 2
    state, _ = watch.look()
    assert (state.words, state.seconds_left) == ("stopped", None)

    add_batch(ledger, [1.0] * 4, stage="search")
    assert watch.look()[0].words == "finished"


def test_a_pause_between_two_calls_does_not_count_as_slowness(tmp_path: Path):
    ledger, clock = made_ledger(tmp_path, sweep_tree(screen=64)), Clock()
    watch = SweepWatch(ledger, clock)
    for pause in (0, 1, 1, 86_400, 1, 1):
        clock.now += pause
        at(add_batch(ledger, [1.0] * 4), clock.now)
    assert watch.look()[0].trials_a_second == 4.0


def test_a_copied_folder_has_no_speed(tmp_path: Path):
    """All files of a copy are of one moment; two of them may be of the very same."""
    ledger, clock = made_ledger(tmp_path, sweep_tree(screen=64)), Clock()
    watch = SweepWatch(ledger, clock)
    for step in (0.0, 0.01, 0.0, 0.002):
        clock.now += step
        at(add_batch(ledger, [1.0] * 4), clock.now)
    state, _ = watch.look()
    assert (state.trials_a_second, state.seconds_left) == (None, None)
    clock.now += 2
    at(add_batch(ledger, [1.0] * 4), clock.now)
    assert watch.look()[0].trials_a_second is not None


def test_with_neighbours_only_what_was_judged_with_them_counts(tmp_path: Path):
    ledger = made_ledger(tmp_path, sweep_tree(neighbours=1))
    add_batch(ledger, [9.0, 9.0, 9.0, 9.0])
    watch = SweepWatch(ledger)
    assert watch.look()[0].best is None
    add_batch(ledger, [1.0, 8.0, 2.0, 8.0], stage="search", parents=[None, 4, None, 6])
    state, curve = watch.look()
    assert (state.best, state.best_trial, state.planned) == ((2.0,), 6, 24)
    np.testing.assert_array_equal(curve.trial, [4, 6])


def test_parts_that_were_moved_away_are_forgotten(tmp_path: Path):
    ledger = made_ledger(tmp_path, sweep_tree())
    add_batch(ledger, [1.0] * 4)
    last = add_batch(ledger, [5.0] * 4)
    watch = SweepWatch(ledger)
    assert watch.look()[0].best == (5.0,)
    last.unlink()
    assert watch.look()[0].best == (1.0,)
    add_batch(ledger, [3.0] * 4)
    assert watch.look()[0].best == (3.0,)


def test_a_damaged_part_is_an_error_that_names_it(tmp_path: Path):
    ledger = made_ledger(tmp_path, sweep_tree())
    part = add_batch(ledger, [1.0] * 4)
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with pytest.raises(DataError, match=part.name):
        SweepWatch(ledger).look()


def test_the_list_of_sweeps_keeps_what_it_knows(tmp_path: Path):
    count = MOST_WATCHED + 4
    for number in range(count):
        add_batch(
            made_ledger(tmp_path, sweep_tree(f"sweep{number}", screen=4, search=0)), [1.0] * 4
        )
    index = SweepIndex(tmp_path)
    rows, waiting = index.listed(patience_seconds=60)
    assert (len(rows), waiting) == (count, 0)
    assert {row.state and row.state.words for row in rows} == {"finished"}
    known = [row.state for row in rows]
    again, _ = index.listed()
    assert all(one.state is other for one, other in zip(again, known, strict=True))
    assert len(index._watches) == MOST_WATCHED


def test_a_list_that_has_no_patience_says_how_many_are_left(tmp_path: Path):
    for number in range(3):
        made_ledger(tmp_path, sweep_tree(f"sweep{number}"))
    index = SweepIndex(tmp_path)
    assert [index.listed(patience_seconds=0)[1] for _ in range(3)] == [2, 1, 0]


def test_broken_sweeps_are_rows_that_say_so(tmp_path: Path):
    sound = made_ledger(tmp_path, sweep_tree("sound"))
    torn = made_ledger(tmp_path, sweep_tree("torn"))
    (torn.folder / "sweep.json").write_text("{")
    moved = made_ledger(tmp_path, sweep_tree("moved"))
    moved.folder.rename(moved.folder.with_name("elsewhere"))
    altered = made_ledger(tmp_path, sweep_tree("altered"))
    content = json.loads((altered.folder / "sweep.json").read_text())
    (altered.folder / "sweep.json").write_text(json.dumps(content | {"data_fingerprint": "2" * 64}))
    part = add_batch(made_ledger(tmp_path, sweep_tree("cut")), [1.0] * 4)
    part.write_bytes(b"PAR1")
    (tmp_path / "sweeps" / "link").symlink_to("/")
    (tmp_path / "sweeps" / "sound" / "link").symlink_to(torn.folder)
    with serving(tmp_path) as server:
        text = server.ask("/sweeps").text
        assert "5 sweeps" in text
        for words in ("is not the description of a sweep", "renamed, copied or moved",
                      "the file was changed", "its SHA-256 does not begin with"):  # fmt: skip
            assert words in text, words
        assert f'href="/sweeps/sound/{sound.sweep_id}"' in text
        assert server.ask(f"/sweeps/sound/{sound.sweep_id}").status == 200
        assert server.ask(f"/sweeps/torn/{torn.folder.name}").status == 422
        assert server.ask("/sweeps/moved/elsewhere").status == 422
        assert server.ask("/sweeps/sound/link").status == 404
        assert server.ask("/sweeps/link/etc").status == 404


def test_a_description_that_lacks_a_key_spoils_its_own_row_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sound = made_ledger(tmp_path, sweep_tree("sound"))
    for name in ("lacking", "wrong"):
        ledger = made_ledger(tmp_path, sweep_tree(name))
        content = json.loads((ledger.folder / "sweep.json").read_text())
        if name == "lacking":
            del content["created_at"]
        else:
            content["config"] = {"name": name, "data": 5, "sweep": 7}
            content["sweep_id"] = sweep_id(name, content["config"], content["data_fingerprint"])
        folder = ledger.folder.rename(ledger.folder.with_name(content["sweep_id"]))
        (folder / "sweep.json").write_text(json.dumps(content))
    rows, _ = SweepIndex(tmp_path).listed(patience_seconds=60)
    problems = {row.family: row.problem for row in rows}
    assert problems["sound"] == ""
    assert "KeyError('created_at')" in problems["lacking"]
    assert "refuses" in problems["wrong"]

    gone = (("sound", "gone"), sound.folder.with_name("gone"))
    found = sweep_index.places_of(tmp_path)
    monkeypatch.setattr(sweep_index, "places_of", lambda _runs: [gone, *found])
    again, _ = SweepIndex(tmp_path).listed(patience_seconds=60)
    assert len(again) == len(rows)


def test_a_report_follows_what_its_family_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "_sweep_page", lambda _watch: b"page")
    ledger = made_ledger(tmp_path, sweep_tree())
    watch, reports = SweepWatch(ledger), Reports(tmp_path)

    def is_anew() -> bool:
        before = reports.cache.made
        reports.of_sweep(watch)
        return reports.cache.made > before

    assert is_anew()
    assert not is_anew()
    sibling = sweep_tree("other").model_copy(
        update={"sweep": sweep_tree().sweep.model_copy(update={"family": "grows"})}
    )
    other = made_ledger(tmp_path, sibling)
    assert other.folder.parent == ledger.folder.parent
    assert is_anew()
    add_batch(other, [1.0] * 4)
    assert is_anew()
    for _ in range(2):
        record_opening(tmp_path, "grows", {"why": "looked"})
        assert is_anew()
    at(ledger.folder / "sweep.json", 1_700_000_000)
    assert is_anew()
    (tmp_path / "20240101T000000Z-grows").mkdir()
    assert is_anew()
    assert not is_anew()


@pytest.mark.parametrize(
    ("trials", "words"),
    [(30, "The worst of them lies beyond"), (50, "The 2 worst of them lie beyond")],
)
def test_what_lies_beyond_the_edge_is_counted_in_words(tmp_path: Path, trials: int, words: str):
    ledger = made_ledger(tmp_path, sweep_tree(screen=64))
    add_batch(ledger, [0.001 * place for place in range(trials)])
    with serving(tmp_path) as server:
        assert words in server.ask(f"/sweeps/grows/{ledger.sweep_id}").text


def test_the_page_of_a_sweep_and_its_numbers(tmp_path: Path):
    ledger = made_ledger(tmp_path, sweep_tree())
    address = f"/sweeps/grows/{ledger.sweep_id}"
    with serving(tmp_path) as server:
        text = server.ask(address).text
        assert "there is nothing to draw" in text
        add_batch(ledger, [1.0, 1.5, None, 1.25])
        text = server.ask(address).text
        assert '<strong id="trials">4</strong>' in text
        assert "Running" in text
        told = json.loads(server.ask(f"{address}/progress.json").text)
        assert (told["trials"], told["planned"], told["best"]) == (4, 16, [1.5])
        csv = server.ask(f"{address}/files/trials.csv").text.splitlines()
        assert len(csv) == 5
        assert server.ask(f"{address}/files/trials.parquet").body[:4] == b"PAR1"
        stored = (ledger.folder / "sweep.json").read_bytes()
        assert server.ask(f"{address}/files/sweep.json").body == stored
        assert server.ask(f"{address}/files/.lock").status == 404
