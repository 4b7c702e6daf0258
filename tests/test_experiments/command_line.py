"""Commands as a person types them: what they answer, how they refuse, and files to give them."""

from pathlib import Path

import pytest

from experiments.cli import main

HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
START_MS = 1_609_459_200_000
HOUR_MS = 3_600_000


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and the one error line of a command that fails and prints nothing else."""
    code, out, err = called(capsys, *arguments)
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("·")]
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in err
    return code, lines[0]


def kline_rows(rows: int = 6) -> list[list[str]]:
    return [
        [str(START_MS + HOUR_MS * row), "100", "102", "99", "101", "5",
         str(START_MS + HOUR_MS * (row + 1) - 1), "505", "7", "2", "202", "0"]
        for row in range(rows)
    ]  # fmt: skip


def written(path: Path, rows: list[list[str]], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path
