"""A bar of a run taken apart: what is shown is what was recorded, and what its score is made of."""

import json
import re
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from datasets import Store, time_text
from engine import ConfigError, DataError
from experiments import RunRecord, RunResult, explain, load_run
from experiments.cli import main
from experiments.explanation.explain import Explanation
from experiments.explanation.terminal import print_explanation
from experiments.formats import spoken
from strategies import HEADS_BY_NAME, ScoredHead
from tests.test_experiments.conftest import SYMBOLS

SYMBOL = SYMBOLS[0]


@pytest.fixture(scope="module")
def record(result: RunResult) -> RunRecord:
    assert result.run_dir is not None
    return load_run(str(result.run_dir), result.run_dir.parent)


def stated(result: RunResult, row: int) -> str:
    return time_text(int(result.votes[SYMBOL].known_at[row]))


def some_row(result: RunResult) -> int:
    """A bar on which a consensus stands and a decision acts."""
    acts = np.flatnonzero(result.consensus[SYMBOL].direction != 0)
    return int(acts[len(acts) // 2])


@pytest.fixture(scope="module")
def explained(record: RunRecord, result: RunResult, store: Store) -> Explanation:
    return explain(record, stated(result, some_row(result)), symbol=SYMBOL, store=store)


def test_votes_reasons_and_consensus_are_those_of_the_run(
    explained: Explanation, result: RunResult
) -> None:
    row = some_row(result)
    votes, consensus = result.votes[SYMBOL], result.consensus[SYMBOL]
    assert explained.not_again == ""
    assert explained.known_at_ns == votes.known_at[row]
    assert explained.close == result.market(SYMBOL).bars.close[row]
    for column, head in enumerate(explained.heads):
        assert head.vote.name == votes.names[column]
        assert head.vote.direction == votes.direction[row, column]
        assert head.vote.probability == votes.probability[row, column]
        assert head.vote.confidence == votes.confidence[row, column]
        assert head.score == votes.score[row, column]
        bits = int(votes.reasons[row, column])
        declared = HEADS_BY_NAME[head.vote.name].REASONS
        expected = {reason.name for bit, reason in enumerate(declared) if bits >> bit & 1}
        assert {reason.name for reason in head.reasons} == expected
    assert explained.steps.stands
    assert explained.consensus["votes_for"] == consensus.votes_for[row]
    assert explained.consensus["confidence"] == consensus.confidence[row]


def test_impacts_add_up_to_the_score(explained: Explanation) -> None:
    scored = [head for head in explained.heads if head.components is not None]
    names = {head.vote.name for head in scored}
    assert names == {name for name, head in HEADS_BY_NAME.items() if isinstance(head(), ScoredHead)}
    assert {"technical", "sentiment", "volume", "crypto_metrics"} <= names
    for head in scored:
        assert head.components is not None
        total = sum(component.impact for component in head.components)
        known = any(component.share > 0 for component in head.components)
        assert (total if known else 50.0) == pytest.approx(head.score, abs=1e-9)


def test_a_time_between_two_closes_is_the_bar_before(
    record: RunRecord, result: RunResult, store: Store
) -> None:
    row = some_row(result)
    between = int(result.votes[SYMBOL].known_at[row]) + 17 * 60 * 10**9
    found = explain(record, time_text(between), symbol=SYMBOL, store=store)
    assert found.known_at_ns == result.votes[SYMBOL].known_at[row]


@pytest.mark.parametrize("at", ["2015-01-01", "2035-01-01 10:00"])
def test_a_time_outside_the_run_is_refused(record: RunRecord, store: Store, at: str) -> None:
    with pytest.raises(DataError, match=f"--at {at}: the run knows {SYMBOL} from"):
        explain(record, at, symbol=SYMBOL, store=store)


def test_what_is_not_said_clearly_is_refused(record: RunRecord, store: Store) -> None:
    with pytest.raises(ConfigError, match="--at: 'noon' is not a time"):
        explain(record, "noon", symbol=SYMBOL, store=store)
    with pytest.raises(DataError, match="has several symbols; give one of AAASIM, BBBSIM"):
        explain(record, "2021-01-10", store=store)
    with pytest.raises(DataError, match="has no symbol 'XXX'"):
        explain(record, "2021-01-10", symbol="XXX", store=store)


def test_a_run_of_targets_has_nothing_to_explain(record: RunRecord, store: Store) -> None:
    other = replace(record, content={**record.content, "decisions_from": "mine.csv"})
    with pytest.raises(DataError, match=r"came from mine\.csv"):
        explain(other, "2021-01-10", symbol=SYMBOL, store=store)


def test_other_data_leave_the_recorded_votes_and_say_so(
    record: RunRecord, result: RunResult, tmp_path: Path
) -> None:
    other = replace(record, content={**record.content, "data_fingerprint": "0" * 64})
    at = stated(result, some_row(result))
    found = explain(other, at, symbol=SYMBOL, store=tmp_path / "store")
    assert "the store holds other rows" in found.not_again
    assert all(head.components is None for head in found.heads)
    assert found.steps.stands


def test_a_record_that_says_another_vote_is_not_decorated(
    record: RunRecord, result: RunResult, store: Store, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from experiments.record import sha256_of

    folder = tmp_path / record.run_dir.name
    shutil.copytree(record.run_dir, folder)
    table = pq.read_table(folder / "votes.parquet")
    column = table.schema.get_field_index("technical_confidence")
    changed = pa.array(np.asarray(table["technical_confidence"]) * 0.5)
    pq.write_table(
        table.set_column(column, "technical_confidence", changed), folder / "votes.parquet"
    )
    content = json.loads((folder / "run.json").read_text())
    content["artefacts"]["votes.parquet"] = sha256_of(folder / "votes.parquet")
    (folder / "run.json").write_text(json.dumps(content))
    found = explain(
        load_run(str(folder)), stated(result, some_row(result)), symbol=SYMBOL, store=store
    )
    assert found.not_again.startswith("head technical gives another confidence")


def printed(explanation: Explanation, *, is_terminal: bool) -> str:
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=is_terminal, highlight=False)
    print_explanation(explanation, console)
    return out.getvalue()


def test_it_fits_eighty_columns_and_is_plain_when_piped(explained: Explanation) -> None:
    plain = printed(explained, is_terminal=False)
    assert "\x1b[" not in plain
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 80
    coloured = printed(explained, is_terminal=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    for head in explained.heads:
        assert spoken(head.vote.name) in plain
        for reason in head.reasons:
            assert reason.name in plain
    assert "Consensus:" in plain
    assert "Decision:" in plain


def test_the_command_prints_the_same_numbers_as_json(
    record: RunRecord, result: RunResult, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    at = stated(result, some_row(result))
    arguments = ["explain", str(record.run_dir), "--at", at, "--symbol", SYMBOL]
    arguments += ["--store", str(store.root)]
    assert main([*arguments, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [head["name"] for head in shown["heads"]] == list(HEADS_BY_NAME)
    assert shown["known_at"] == at
    assert shown["not_computed_again"] is None
    assert {step["gate"] for step in shown["consensus"]["steps"]} >= {"quorum", "veto"}
    assert main(arguments) == 0
    text = capsys.readouterr().out
    for head in shown["heads"]:
        for component in head["components"] or ():
            assert component["name"] in text
