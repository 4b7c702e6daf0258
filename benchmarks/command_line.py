"""How long the command line takes to answer, in CPU seconds of its own process."""

import resource
import subprocess
import sys


def cpu_seconds(arguments: list[str]) -> float:
    """User and system time of one child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figures() -> dict[str, float]:
    """CPU seconds of ``ninefold --help`` and of an interpreter that does nothing."""
    help_command = [sys.executable, "-m", "experiments", "--help"]
    cpu_seconds(help_command)
    return {
        "help_cpu_s": min(cpu_seconds(help_command) for _ in range(5)),
        "bare_python_cpu_s": min(cpu_seconds([sys.executable, "-c", ""]) for _ in range(5)),
    }
