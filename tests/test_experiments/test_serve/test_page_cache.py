"""Pages are made once, and never take more memory than they may."""

import threading
import time

import pytest

from experiments.serve.page_cache import PageCache


def test_a_page_is_made_once_and_the_oldest_goes_first():
    cache = PageCache(largest_bytes=10)
    for key in ("a", "b", "a", "c", "a"):
        cache.get(key, lambda key=key: key.encode() * 4)
    assert cache.made == 3
    assert cache.kept_bytes == 8
    cache.get("b", lambda: b"bbbb")
    assert cache.made == 4


def test_a_page_that_is_too_large_is_given_and_not_kept():
    cache = PageCache(largest_bytes=3)
    assert cache.get("a", lambda: b"aaaa") == b"aaaa"
    assert cache.kept_bytes == 0


def test_threads_that_ask_for_the_same_page_wait_for_one():
    cache = PageCache()

    def slow() -> bytes:
        time.sleep(0.05)
        return b"page"

    threads = [threading.Thread(target=cache.get, args=("a", slow)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.made == 1


def test_what_raises_is_not_kept_and_blocks_nobody():
    cache = PageCache()
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: bytes([1 // 0]))
    assert cache.get("a", lambda: b"a") == b"a"
