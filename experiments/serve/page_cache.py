"""Pages that were made, kept as long as they fit into a bounded amount of memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

LARGEST_BYTES: Final = 64 * 1024 * 1024


class PageCache:
    """The latest results of ``make`` by key, at most ``largest_bytes`` of them together.

    One thread makes a page, others that ask for the same wait for it; different pages are made one after
    the other, so that memory and processor are needed for one at a time. What raises is not kept.
    """

    def __init__(self, largest_bytes: int = LARGEST_BYTES) -> None:
        self.largest_bytes = largest_bytes
        self.made = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._making = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """Bytes of all pages that are kept."""
        with self._lock:
            return sum(map(len, self._kept.values()))

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The page of ``key``, made by ``make`` where it is not kept."""
        kept = self._find(key)
        if kept is not None:
            return kept
        with self._making:
            kept = self._find(key)
            if kept is not None:
                return kept
            page = make()
            self.made += 1
            self._keep(key, page)
            return page

    def _find(self, key: Hashable) -> bytes | None:
        with self._lock:
            page = self._kept.get(key)
            if page is not None:
                self._kept.move_to_end(key)
            return page

    def _keep(self, key: Hashable, page: bytes) -> None:
        if len(page) > self.largest_bytes:
            return
        with self._lock:
            self._kept[key] = page
            while sum(map(len, self._kept.values())) > self.largest_bytes:
                self._kept.popitem(last=False)
