"""What a page of the documentation starts and leaves running: a Ray cluster, all of it on this machine."""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

STARTED = "Ray runtime started"
SECONDS_TO_END = 60


def program(words: list[str]) -> list[str]:
    """``words`` with the program of this environment where it has one of that name."""
    if words[0] == "python":
        return [sys.executable, *words[1:]]
    beside = Path(sys.executable).parent / words[0]
    return [str(beside), *words[1:]] if beside.is_file() else words


@dataclass
class Services:
    """Nodes of Ray in their own processes; files, token and address are no other Ray's of this machine."""

    nodes: list[subprocess.Popen[str]] = field(default_factory=list)
    _folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def running(self) -> bool:
        """True between ``ray start`` and ``ray stop``."""
        return bool(self.nodes)

    def environment(self) -> dict[str, str]:
        """Where Ray keeps what it keeps. A short path: the names of sockets are limited."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True)
        return {
            "HOME": self._folder.name,
            "RAY_TMPDIR": self._folder.name,
            "RAY_USAGE_STATS_ENABLED": "0",
            "PIP_NO_INDEX": "1",
        }

    def start_ray(self, words: list[str], exported: dict[str, str]) -> None:
        """``ray start …``, in the foreground of a process of its own; returns when the node is up."""
        node = subprocess.Popen(
            [*program(words), "--block"],
            env={**os.environ, **self.environment(), **exported},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.nodes.append(node)
        assert node.stdout is not None
        heard = []
        for line in node.stdout:
            heard.append(line)
            if STARTED in line:
                return
        raise AssertionError(f"{' '.join(words)} ended: {''.join(heard)[-2000:]}")

    def stop(self) -> None:
        """End the nodes, the last one first, and forget their files."""
        for node in reversed(self.nodes):
            node.send_signal(signal.SIGTERM)
            try:
                node.wait(SECONDS_TO_END)
            finally:
                node.kill()
                if node.stdout is not None:
                    node.stdout.close()
        self.nodes.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
