"""From a configuration to the page of one head on one symbol."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from datasets import Store, time_text
from datasets.durable import replace_file
from datasets.keys import SIMULATED_VENUE
from engine import ConfigError
from strategies import vote_matrix

from ..config import RunConfig
from ..events.chosen import chosen_heads, chosen_pairs, chosen_types
from ..events.found import HeadEvents, events_on, of_types
from ..features.own_indicators import indicators_of
from ..market_data import signal_markets
from ..pages.html import asset, drawable, json_for_script, packed, plotly_script
from ..simulation import ensure_simulated
from .figure import Picture, picture
from .panels import KILL_ZONES
from .window import Window, window_of

TEMPLATE: Final = "page.html.j2"
SCRIPT: Final = "drawn.js"
"""What this page does besides what every page does."""
ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A page: what it shows, and its text."""

    symbol: str
    head: str
    timeframe: str
    window: Window
    picture: Picture
    html: str

    def write(self, path: Path | str) -> Path:
        """Write the page to ``path``, in one step, and return it."""
        replace_file(Path(path), self.html.encode())
        return Path(path)


def draw(
    config: RunConfig,
    *,
    head: str,
    symbol: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    types: Sequence[str] = (),
    store: Store | Path | str = "data",
    progress: Callable[[str], None] = lambda _text: None,
) -> Drawing:
    """The chart of ``symbol`` from ``start_ns`` to ``end_ns`` with the events and votes of ``head``.

    Events are found and votes are cast on all bars of ``config``, as in a run; the window, int64 ns
    UTC, only limits what is drawn. Without ``start_ns`` it has 300 bars, without ``end_ns`` it ends
    with the data. ``symbol`` may be left out where there is one; ``types`` as in ``found_events``. Raises
    ConfigError for a name that is none and for a window of no bars or too many, DataError when the
    store lacks bars.
    """
    if head == ALL:
        names = ", ".join(one.name for one in chosen_heads(config, []))
        raise ConfigError(f"--head {ALL}: a page shows one head; draw one for each of {names}")
    instance = chosen_heads(config, [head])[0]
    wanted = chosen_types({head: tuple(instance.detections().values())}, types)
    if symbol is None and len(config.instruments) > 1:
        known = ", ".join(pair.symbol for pair in config.instruments)
        raise ConfigError(f"a page shows one symbol; give one of {known} with --symbol")
    pairs = chosen_pairs(config, [] if symbol is None else [symbol])
    held = store if isinstance(store, Store) else Store(store)
    ensure_simulated(config, held)
    market = next(signal_markets(config, pairs, held))
    window = window_of(market.bars, start_ns, end_ns)
    name = pairs[0].symbol
    progress(f"{name}: events and votes of {head} on {len(market.bars)} bars")
    found = [
        of_types(one, wanted) for one in events_on(market, name, [instance], end_ns=window.end_ns)
    ]
    votes = vote_matrix(market, [instance], indicators=indicators_of(config))
    shown = picture(market, instance, found, votes, window)
    return Drawing(
        symbol=name,
        head=head,
        timeframe=market.bars.timeframe,
        window=window,
        picture=shown,
        html=_html(config, name, head, window, shown, found),
    )


def _html(
    config: RunConfig,
    symbol: str,
    head: str,
    window: Window,
    shown: Picture,
    found: Sequence[HeadEvents],
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("experiments", "drawing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    marked = sum(one.is_marked for one in shown.events)
    return environment.get_template(TEMPLATE).render(
        name=config.name,
        simulated=any(pair.signals.venue == SIMULATED_VENUE for pair in config.instruments),
        symbol=symbol,
        head=head,
        timeframe=window.bars.timeframe,
        start=time_text(window.start_ns),
        end=time_text(window.end_ns),
        bars=len(window),
        missing=int(window.bars.is_gap[window.rows].sum()),
        marked=marked,
        held_back=shown.held_back,
        carried=len(shown.events) - marked,
        style=Markup(asset("style.css")),
        scripts=[Markup(asset("page.js")), Markup(_script())],
        figure=Markup(json_for_script(figure_content(shown))),
        plotly=Markup(plotly_script()),
    )


def _script() -> str:
    return (files(__package__) / SCRIPT).read_text(encoding="utf-8")


def figure_content(shown: Picture) -> dict[str, Any]:
    """What the page's script draws from, as JSON values: strings of the traces as Plotly reads them,
    those of ``texts`` and of ``legend`` as they are."""
    data, texts = shared_texts(shown.data)
    places = {text: at for at, text in enumerate(texts)}
    listed = [places[one.text] for one in shown.events if one.is_marked]
    said = [places.setdefault(text, len(places)) for text in shown.said]
    return {
        "data": [drawable(trace) for trace in data],
        "layout": drawable(shown.layout),
        "switches": [],
        "paths": packed(shown.paths),
        "bars": packed(shown.bars),
        "said": said,
        "bands": [[KILL_ZONES[one.code][0], one.left, one.right] for one in shown.bands],
        "texts": list(places),
        "listed": listed,
        "legend": [asdict(one) for one in shown.legend],
    }


def shared_texts(data: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Traces whose ``hovertext`` is replaced by ``texts``, places in a list where each text stands once.

    An event tells its story at its marker and at every change of its state.
    """
    places: dict[str, int] = {}
    shared = []
    for trace in data:
        one = dict(trace)
        if "hovertext" in one:
            one["texts"] = [places.setdefault(text, len(places)) for text in one.pop("hovertext")]
        shared.append(one)
    return shared, list(places)
