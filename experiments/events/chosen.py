"""Which heads, symbols and types are meant by the words of the user."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine import ConfigError
from indicators import DETECTORS_BY_NAME, Detection
from strategies import Head

from ..config import RunConfig
from ..config_data import InstrumentPair
from ..features.own_indicators import indicators_of

NEAR_ENOUGH: Final = 0.6


def named(option: str, name: str, known: Sequence[str], what: str) -> str:
    """``name`` if it is one of ``known``; ConfigError with the nearest of them otherwise."""
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=NEAR_ENOUGH)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ConfigError(
        f"{option} {name}: there is no such {what}; {hint}there are {', '.join(known)}"
    )


def chosen_pairs(config: RunConfig, symbols: Iterable[str]) -> list[InstrumentPair]:
    """The instruments of ``symbols``, in the order of the configuration; all of them for none."""
    known = [pair.symbol for pair in config.instruments]
    wanted = {named("--symbol", symbol, known, "symbol in the configuration") for symbol in symbols}
    return [pair for pair in config.instruments if not wanted or pair.symbol in wanted]


def chosen_heads(config: RunConfig, names: Iterable[str]) -> list[Head]:
    """The heads called ``names``, in vote order; for none, those that vote and look for events.

    A head that is named need not vote: its parameters stand in the configuration all the same.
    Raises ConfigError for a name that is no head, and for a head that looks for no events.
    """
    heads = config.heads.instances(indicators_of(config))
    finders = [head.name for head in heads if head.detections()]
    wanted = set()
    for name in names:
        named("--head", name, [head.name for head in heads], "head")
        if name not in finders:
            raise ConfigError(
                f"--head {name}: this head looks for no events; those that do are "
                f"{', '.join(finders) or 'none'}"
            )
        wanted.add(name)
    chosen = wanted or (set(finders) & set(config.heads.enabled))
    return [head for head in heads if head.name in chosen]


def chosen_types(
    detections: Mapping[str, Iterable[Detection]], names: Iterable[str]
) -> frozenset[str]:
    """The event types called ``names``; the name of a detector stands for all of its types.

    ``detections`` of each head are where they may come from; no names, no types: all are meant.
    Raises ConfigError for a name that is neither.
    """
    types: dict[str, list[str]] = {}
    for one in (each for listed in detections.values() for each in listed):
        detector = DETECTORS_BY_NAME[one.detector]
        of_detector = [kind.name for kind in detector.types]
        types |= {name: [name] for name in of_detector}
        types[detector.name] = sorted({*types.get(detector.name, ()), *of_detector})
    known = sorted(types)
    wanted = [named("--type", name, known, f"event of {', '.join(detections)}") for name in names]
    return frozenset(kind for name in wanted for kind in types[name])
