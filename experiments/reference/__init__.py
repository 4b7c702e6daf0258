"""The reference, made from what the code declares: ``python -m experiments.reference`` writes it."""

from .pages import PAGES, page_texts, write_pages

__all__ = ["PAGES", "page_texts", "write_pages"]
