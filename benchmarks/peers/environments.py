"""Event-driven backtesters, each timed in a virtual environment of its own.

Their dependencies exclude ours (older pandas), so a peer is a script under ``own_environment`` that
reads the arrays of one work from a file and prints its figures as JSON. It is timed once, at a size
that takes seconds, inside its own process: neither imports nor the reading of the file count.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from .work import Outcome, SingleWork

SCRIPTS: Final = Path(__file__).parent / "own_environment"
FOLDER: Final = Path("runs/peers")


@dataclass(frozen=True)
class EventDrivenPeer:
    """What to install, what to run, and how many bars take seconds rather than minutes."""

    name: str
    requirements: tuple[str, ...]
    script: str
    bars: int


PEERS: Final = (
    EventDrivenPeer(
        "backtesting.py", ("backtesting==0.6.6",), script="run_backtesting.py", bars=1_000_000
    ),
    EventDrivenPeer(
        "backtrader",
        ("backtrader==1.9.78.123", "numpy", "pandas"),
        script="run_backtrader.py",
        bars=100_000,
    ),
    EventDrivenPeer(
        "nautilus_trader",
        ("nautilus_trader==1.221.0",),
        script="run_nautilus.py",
        bars=200_000,
    ),
)


@dataclass(frozen=True)
class Measured:
    """Seconds of a peer over the first ``bars`` bars of a work."""

    peer: EventDrivenPeer
    bars: int
    seconds: float
    outcome: Outcome

    def seconds_for(self, bars: int) -> float:
        """Seconds for ``bars`` bars, in proportion."""
        return self.seconds * bars / self.bars


@dataclass(frozen=True)
class Skipped:
    """A peer that does not install or run here, and what pip or the peer said last."""

    peer: EventDrivenPeer
    reason: str


def measure(peer: EventDrivenPeer, work: SingleWork, folder: Path = FOLDER) -> Measured | Skipped:
    """Run ``peer`` over the first ``peer.bars`` bars, in an environment made under ``folder``."""
    try:
        python = environment(folder / peer.name, peer.requirements, "--only-binary", ":all:")
        found = _run(python, SCRIPTS / peer.script, work.first(peer.bars))
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "nothing").strip().splitlines()
        return Skipped(peer, f"{Path(error.cmd[0]).name} ended with {error.returncode}: {said[-1]}")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Skipped(peer, str(error))
    seconds, bars = found.pop("seconds"), int(found.pop("bars"))
    return Measured(peer, bars, seconds, Outcome(**{**found, "fills": int(found["fills"])}))


def environment(folder: Path, requirements: tuple[str, ...], *options: str) -> Path:
    """The Python of an environment with ``requirements``, which pip installs with ``options``.

    Made anew where the last attempt was cut short or asked for something else.
    """
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join((sys.version, *options, *requirements))
    if not installed.exists() or installed.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        output([sys.executable, "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        output([*pip, *options, *requirements])
        installed.write_text(wanted)
    return python


def _run(python: Path, script: Path, work: SingleWork) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "work.npz"
        np.savez(file, **{name: value for name, value in asdict(work).items() if value is not None})
        printed = output([str(python), "-I", str(script), str(file)])
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def output(command: list[str]) -> str:
    """What ``command`` prints; CalledProcessError with what it said where it fails."""
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=900, env=environment
    ).stdout
