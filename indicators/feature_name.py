"""Features as people write them: ``rsi.rsi(length=14)@bars:4h`` and back."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from engine import ConfigError, timeframe_ns

from .clock_join import plain_clocks
from .spec import Feature, Indicator, feature

NEAR_ENOUGH: Final = 0.5
"""Likeness from which a known name is suggested for an unknown one."""
MOST_LISTED: Final = 20
MOST_REPEATED: Final = 40
"""Characters of what stands in the wrong place that an error repeats."""
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_PLAIN_CLOCK: Final = r"[A-Za-z_][A-Za-z0-9_]*(?::[A-Za-z0-9]+)?"
_GROUP: Final = f"{_PLAIN_CLOCK}(?:&{_PLAIN_CLOCK})*"
_CLOCK: Final = re.compile(rf"{_GROUP}(?:\+{_GROUP}\??)*")
_BARS: Final = "bars:"


class FeatureNameError(ConfigError):
    """A word of a feature that makes no sense: ``rule`` says why, ``place`` is its first character."""

    def __init__(self, text: str, place: int, rule: str) -> None:
        super().__init__(f"feature {text!r}, at character {place + 1}: {rule}")
        self.place, self.rule = place, rule


def parsed_feature(text: str) -> Feature:
    """The feature that ``text`` spells: ``indicator.output(parameter=number,…)@clock``.

    The brackets may be left out where no parameter is given, and ``@clock`` where the clock is
    ``bars``. ``parsed_feature(str(feature)) == feature``. Raises ConfigError that names the word and
    the place where the text stops making sense; names are not looked up.
    """
    reader = _Reader(text)
    found = reader.feature()
    reader.end()
    return found


def known_feature(text: str, indicators: Mapping[str, Indicator]) -> Feature:
    """``text`` as :func:`parsed_feature` reads it, every name and value of it looked up.

    A feature without ``@clock`` of an indicator that is meant for one clock only gets that clock.
    Raises ConfigError that names the word that is unknown, the nearest known one, and the rule.
    """
    reader = _Reader(text)
    found = reader.feature()
    reader.end()
    return _looked_up(reader, found, indicators)


def feature_within(
    text: str, at: int, indicators: Mapping[str, Indicator], *, only_listed: bool = True
) -> tuple[Feature, int]:
    """The feature that begins at character ``at`` of a longer text, and where it ends.

    It is looked up as by :func:`known_feature`; unless ``only_listed``, one of an indicator that is
    not among ``indicators`` stays as it is written. Raises FeatureNameError, whose ``place`` counts
    from the beginning of ``text``.
    """
    reader = _Reader(text, at)
    found = reader.feature()
    end = reader.read_to
    if only_listed or found.indicator in indicators:
        found = _looked_up(reader, found, indicators)
    return found, end


def _looked_up(reader: "_Reader", found: Feature, indicators: Mapping[str, Indicator]) -> Feature:
    indicator = indicators.get(found.indicator)
    if indicator is None:
        raise reader.unknown("indicator", "indicator", found.indicator, indicators)
    names = [output.name for output in indicator.outputs]
    if found.output not in names:
        what = f"output of {indicator.name}"
        raise reader.unknown("output", what, found.output, names)
    parameters = {parameter.name: parameter for parameter in indicator.parameters}
    for name, value in found.parameters:
        if name not in parameters:
            raise reader.unknown(_of(name), f"parameter of {indicator.name}", name, parameters)
        try:
            parameters[name].checked(value)
        except ConfigError as error:
            raise reader.refused(_of(name), str(error)) from None
    for part in plain_clocks(found.clock):
        try:
            if part.startswith(_BARS):
                timeframe_ns(part.removeprefix(_BARS))
        except ConfigError as error:
            raise reader.refused("clock", str(error)) from None
    only = indicator.only_clock
    if only is not None and not reader.has_clock:
        return Feature(found.indicator, found.output, found.parameters, only)
    if not indicator.runs_on(found.clock):
        raise reader.refused("clock", f"{indicator.name} is computed on clock {only} only")
    return found


def _of(parameter: str) -> str:
    return f"parameter {parameter}"


class _Reader:
    """One pass over the text; ``places`` are where its words began, by their role."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text, self.at, self.read_to = text, at, at
        self.places: dict[str, int] = {}
        self.has_clock = False

    def feature(self) -> Feature:
        indicator = self._matched(_WORD, "the name of an indicator", "indicator")
        self._take(".", "'.' and the name of an output")
        output = self._matched(_WORD, "the name of an output", "output")
        parameters: dict[str, float] = {}
        if self._takes("(") and not self._takes(")"):
            while True:
                name = self._matched(_WORD, "the name of a parameter", "parameter")
                self.places[_of(name)] = self.places["parameter"]
                if name in parameters:
                    raise self.refused(_of(name), f"parameter {name!r} is given twice")
                self._take("=", "'=' and a number")
                parameters[name] = float(self._matched(_NUMBER, "a number", "number"))
                if self._takes(")"):
                    break
                self._take(",", "',' or ')'")
        clock = "bars"
        if self._takes("@"):
            self.has_clock = True
            clock = self._matched(_CLOCK, "a clock, such as bars:4h or funding", "clock")
        return feature(indicator, output, clock=clock, **parameters)

    def end(self) -> None:
        """ConfigError unless nothing follows."""
        self._skip()
        if self.at < len(self.text):
            raise self._expected("'(', '@' or the end" if not self.has_clock else "the end")

    def refused(self, role: str, rule: str) -> FeatureNameError:
        """An error that points at the word of this role, which was read before."""
        return FeatureNameError(self.text, self.places[role], rule)

    def unknown(self, role: str, what: str, word: str, known: Iterable[str]) -> FeatureNameError:
        """An error that names ``word``, the nearest known one, and the others where they are few."""
        names = sorted(known)
        near = difflib.get_close_matches(word, names, n=1, cutoff=NEAR_ENOUGH)
        hint = f"did you mean {near[0]!r}? " if near else ""
        listed = f"there are {', '.join(names) or 'none'}"
        if len(names) > MOST_LISTED:
            listed = "`ninefold features --list` shows them all"
        return self.refused(role, f"{word!r} is no {what}; {hint}{listed}")

    def _matched(self, pattern: re.Pattern[str], what: str, role: str) -> str:
        self._skip()
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self._expected(what)
        self.places[role] = self.at
        self.at = self.read_to = found.end()
        return found[0]

    def _takes(self, sign: str) -> bool:
        self._skip()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        self.read_to = self.at
        return True

    def _take(self, sign: str, what: str) -> None:
        if not self._takes(sign):
            raise self._expected(what)

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def _expected(self, what: str) -> FeatureNameError:
        rest = self.text[self.at : self.at + MOST_REPEATED]
        found = f"{rest!r} stands there" if rest else "the text ends"
        return FeatureNameError(
            self.text,
            self.at,
            f"{what} is expected, {found}; write it as indicator.output(parameter=number)@clock",
        )
