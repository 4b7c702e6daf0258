"""Ctrl-C: heard once is heard, whatever the code that it falls into does with it."""

import _thread
import signal
import sys
import threading
from types import FrameType
from typing import Any, Final

AGAIN_SECONDS: Final = 0.5


class Interrupts:
    """Raises KeyboardInterrupt at Ctrl-C, and again until one is on its way out.

    Libraries drop it (imports of compiled modules, callbacks, finalizers) or turn it into errors of
    theirs, and the command would go on to its end. While one is handled, which is when things are
    cleaned up, none is raised again but by another Ctrl-C. ``seen`` says whether there was one.
    """

    def __init__(self) -> None:
        self.seen = False
        self._before: Any = None
        self._ended = threading.Event()
        self._is_reminder = False

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def end(self) -> None:
        """Nothing is raised from here on."""
        self._ended.set()

    def __exit__(self, *_: object) -> None:
        self.end()
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        is_reminder, self._is_reminder = self._is_reminder, False
        if self._ended.is_set() or (is_reminder and _is_handled()):
            return
        if not self.seen:
            self.seen = True
            threading.Thread(target=self._remind, daemon=True).start()
        raise KeyboardInterrupt

    def _remind(self) -> None:
        while not self._ended.wait(AGAIN_SECONDS):
            self._is_reminder = True
            _thread.interrupt_main()


def _is_handled() -> bool:
    """Whether a KeyboardInterrupt, or what was raised because of one, is being handled."""
    error = sys.exception()
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
