"""The report of a sweep in a browser: validated, and with many axes and nothing that is sure."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from experiments.pages.html import html_text
from experiments.sweep_report import sweep_document
from experiments.sweeps.ledger import Ledger
from tests.browser.looking import LOOKS, NARROW, WIDE, opened
from tests.test_experiments.test_sweep_report.cases import TWENTY, TWO, made_sweep, sweep_config

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def validated_page(
    browser: Browser, swept: Ledger, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("validated") / "sweep.html"
    path.write_text(html_text(sweep_document(swept)), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_validated_sweep_is_right_in_every_look(
    browser: Browser, validated_page: Path, width: int, scheme: Any
):
    with opened(browser, validated_page.as_uri(), width, scheme) as view:
        view.unfold()
        assert view.problems() == []
        assert view.page.locator("figure.chart[data-drawn=yes]").count() > 10


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "dark"), (NARROW, "light")])
@pytest.mark.parametrize(
    ("space", "section", "trials"),
    [
        (TWENTY, {}, None),
        (TWO, {}, 3),
        (TWO, {"objectives": [{"metric": "sharpe"}, {"metric": "max_drawdown"}]},
         None),
    ],
    ids=["twenty-axes", "three-trials", "two-objectives"],
)  # fmt: skip
def test_other_sweeps(
    browser: Browser, tmp_path: Path, tree: dict[str, Any], space: dict[str, Any],
    section: dict[str, Any], trials: int | None, width: int, scheme: Any,
):  # fmt: skip
    ledger = made_sweep(tmp_path, sweep_config(tree, space=space, **section), trials=trials)
    path = tmp_path / "sweep.html"
    path.write_text(html_text(sweep_document(ledger)), encoding="utf-8")
    with opened(browser, path.as_uri(), width, scheme) as view:
        view.unfold()
        assert view.problems() == []
