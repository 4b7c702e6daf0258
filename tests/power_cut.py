"""A machine that goes off at a given durable step."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datasets import durable

STEPS = ("write", "sync", "rename", "unlink", "make_one_folder")
"""Functions of ``datasets.durable`` through which everything durable goes."""


class PowerCutError(BaseException):
    """The machine goes off: no handler may tidy up after it."""


@contextmanager
def power_cut(at_step: int, moment: str) -> Iterator[list[tuple[str, Path]]]:
    """Go off ``before``, ``within`` or ``after`` the given step; yields the steps that passed.

    What was written and not synced is lost: the file is left with half of its bytes.
    """
    passed: list[tuple[str, Path]] = []
    unsynced: set[Path] = set()
    is_off = False

    def go_off() -> None:
        nonlocal is_off
        is_off = True
        for path in unsynced:
            os.truncate(path, path.stat().st_size // 2)
        raise PowerCutError

    def cutting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(target: object, *others: object) -> object:
            if is_off:
                raise PowerCutError
            path = _path_of(target)
            now = len(passed) == at_step
            if now and moment == "before":
                go_off()
            if now and moment == "within" and name == "write":
                (data,) = others
                assert isinstance(data, memoryview)
                real(target, data[: len(data) // 2])
                go_off()
            if name == "write":
                unsynced.add(path)
            result = real(target, *others)
            if name == "sync":
                unsynced.discard(path)
            assert name != "rename" or path not in unsynced
            passed.append((name, path))
            if now:
                go_off()
            return result

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(durable, name, cutting(name, getattr(durable, name)))
        yield passed


def _path_of(target: object) -> Path:
    if isinstance(target, int):
        return Path(os.readlink(f"/proc/self/fd/{target}"))
    assert isinstance(target, Path)
    return target.absolute()
