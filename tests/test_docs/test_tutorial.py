"""The tutorial, command by command: from the local exchanges to a verdict."""

from pathlib import Path

import pytest

from experiments import list_runs
from tests.page_runner import ROOT, PageRunner, blocks_of

TUTORIAL = ROOT / "docs" / "tutorial.md"


def test_the_tutorial_runs_as_it_is_written(runner: PageRunner) -> None:
    runner.run(TUTORIAL)
    assert len(list_runs(runner.folder / "runs")) == 3
    for name in ("report.html", "compare.html", "best.yaml"):
        assert (runner.folder / name).is_file()
    assert any("validate btc_hours" in command for command in runner.ran)


FILES = (
    "klines/binance_spot_and_perp_1h_2019_2022.parquet",
    "derivatives/funding_8h_history.parquet",
)
SAID = (
    "11.89%",
    "0.433",
    "0.500",
    "546 days; 732",
    "4.12%",
    "1.23",
    "no evidence",
    "-31.18%",
    "interval -1.30 to 1.52: no evidence of anything, chance alone gives as much",
)
"""Numbers that the sentences of the tutorial state."""


@pytest.mark.real
def test_the_tutorial_says_what_comes_out_on_real_bars(
    runner: PageRunner, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the files of step 1 in place of the exchange, every line that is shown is printed."""

    def arguments(words: list[str]) -> list[str]:
        if words[:2] != ["data", "fetch"]:
            return words
        return ["data", "import", *(str(real_data / name) for name in FILES)]

    runner.arguments = arguments
    runner.run(TUTORIAL)
    printed = capsys.readouterr().out
    lines = {line.rstrip() for line in printed.splitlines()}
    shown = [block for block in blocks_of(TUTORIAL) if block.language == "text"]
    assert len(shown) > 5
    for block in shown:
        for line in block.body.splitlines():
            assert line.rstrip() in lines, f"{block}: {line!r} was not printed"
    flat = " ".join(printed.split())
    assert [text for text in SAID if text not in flat] == []
