"""Pages are made once, and never take more memory than they may."""

import threading
import time
from pathlib import Path

import pytest

from experiments.serve.page_cache import PageCache
from tests.test_experiments.test_serve.run_folders import copied
from tests.test_experiments.test_serve.serving import serving


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


def test_a_small_picture_waits_for_no_report(run_folder: Path, tmp_path: Path):
    copied(run_folder, tmp_path, "20240101T000000Z-a", name="a")
    is_making, may_end = threading.Event(), threading.Event()

    def slow() -> bytes:
        is_making.set()
        may_end.wait(20)
        return b"report"

    with serving(tmp_path) as server:
        report = threading.Thread(target=server.site.reports.cache.get, args=("slow", slow))
        picture = threading.Thread(
            target=server.ask, args=("/runs/20240101T000000Z-a/equity.svg",), daemon=True
        )
        report.start()
        is_making.wait(20)
        picture.start()
        picture.join(5)
        was_answered = not picture.is_alive()
        may_end.set()
        report.join()
        picture.join()
    assert was_answered


def test_what_raises_is_not_kept_and_blocks_nobody():
    cache = PageCache()
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: bytes([1 // 0]))
    assert cache.get("a", lambda: b"a") == b"a"
