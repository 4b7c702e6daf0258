"""What is wrong with a configuration, in words: where it was written, the key, the value, the rule."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .config_keys import homes_of, model_at
from .yaml_source import KeyPath, Source, shown

NEAR_ENOUGH: Final = 0.5
"""Likeness from which a valid key or word is suggested for an unknown one."""
SURELY_MEANT: Final = 0.8
"""Likeness from which it was a slip of the finger, wherever else its keys would fit."""
MOST_TOLD: Final = 3
"""Problems that one error tells; the others are counted."""

_VALID: Final = "valid keys here: "
_MUST_BE: Final = " must be "
_WRONG_KIND: Final = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a section of keys and values",
    "mapping_type": "a section of keys and values",
    "model_type": "a section of keys and values",
    "model_attributes_type": "a section of keys and values",
}
"""What a value of another type should have been."""
_OF_A_TYPE: Final = (*_WRONG_KIND, "literal_error")

_LIMITS: Final = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}

_WORD_PATTERN: Final = re.compile(r"\^\[A-Za-z0-9\]\[A-Za-z0-9\._-\](?:\*|\{0,(\d+)\})\$")
"""The patterns of names and labels; the group is how much may follow the first character."""


@dataclass(frozen=True, slots=True)
class _Problem:
    """One thing that is wrong, at the ``path`` that a person wrote; ``raw`` also names union branches."""

    path: KeyPath
    raw: KeyPath
    details: ErrorDetails

    @property
    def kind(self) -> str:
        return self.details["type"]


def told(error: ValidationError, source: Source, model: type[BaseModel]) -> str:
    """Every problem of ``error`` in one line: ``file:line: key=value rule``, and what to do.

    At most ``MOST_TOLD`` are told. A problem that another one brought with it is left out.
    """
    problems = [_problem(details, source) for details in error.errors(include_url=False)]
    problems = [one for one in problems if _is_of_another_file(one)] or problems
    texts = _alternatives_joined(
        _text(problem, source, model) for problem in _without_echoes(problems, model)
    )
    more = len(texts) - MOST_TOLD
    together = "; ".join(_valid_keys_once(texts[:MOST_TOLD]))
    return f"{together}; and {more} more" if more > 0 else together


def _alternatives_joined(texts: Iterable[str]) -> list[str]:
    """Each text once; of a value that may be of several types, all that it may be in one."""
    joined: dict[str, list[str]] = {}
    for text in texts:
        subject, rule, wanted = text.partition(_MUST_BE)
        alternatives = joined.setdefault(f"{subject}{rule}", [])
        if wanted not in alternatives:
            alternatives.append(wanted)
    # An advice behind a semicolon belongs to the last of them.
    return [
        f"{subject}{' or '.join(sorted(wanted, key=lambda one: ';' in one))}"
        for subject, wanted in joined.items()
    ]


def _valid_keys_once(texts: Sequence[str]) -> Iterator[str]:
    """Unknown keys of one section share the list of those that are valid there."""
    seen: set[str] = set()
    for text in texts:
        _, _, valid = text.partition(_VALID)
        yield text.removesuffix(f"{_VALID}{valid}").rstrip("; ") if valid in seen - {""} else text
        seen.add(valid)


def named_origin(message: str, path: KeyPath, source: Source) -> str:
    """Where the key that ``message`` begins with was written, below ``path``."""
    found = re.match(r"[A-Za-z_]\w*(\.\w+)*", message)
    words = found[0].split(".") if found else []
    names = [int(word) if word.isdecimal() else word for word in words]
    for length in range(len(names), 0, -1):
        if (*path, *names[:length]) in source.origins:
            return source.origins[(*path, *names[:length])]
    for known, origin in source.origins.items():
        if names and known[: len(path)] == path and names[0] in known[len(path) :]:
            return origin
    return source.origin(path)


def _problem(details: ErrorDetails, source: Source) -> _Problem:
    """``details`` at the path that leads through the tree: branches of unions are not part of it."""
    raw: KeyPath = tuple(details["loc"])
    path: list[str | int] = []
    here: Any = source.tree
    for position, part in enumerate(raw):
        is_item = isinstance(here, list) and isinstance(part, int) and part < len(here)
        is_last = position == len(raw) - 1
        if is_item or (isinstance(here, Mapping) and part in here):
            here = here[part]
            path.append(part)
        elif details["type"] == "missing" and is_last:
            path.append(part)
    return _Problem(tuple(path), raw, details)


def _is_of_another_file(problem: _Problem) -> bool:
    """Whether the problem is that the whole file is for another command: no other matters then."""
    is_key = problem.kind in ("extra_forbidden", "missing")
    return is_key and (problem.path == ("fetch",) or problem.path == ("sweep",))


def _without_echoes(problems: Sequence[_Problem], model: type[BaseModel]) -> list[_Problem]:
    """Without what follows from another problem.

    A list whose items were refused is called too short; a misspelt key leaves the right one missing;
    a value that suits none of several types is refused by each.
    """
    meant = {
        (*problem.path[:-1], near)
        for problem in problems
        if problem.kind == "extra_forbidden" and (near := _near_key(problem, model))
    }
    kept = []
    for problem in problems:
        inside = [other for other in problems if len(other.path) > len(problem.path)]
        of_items = any(other.path[: len(problem.path)] == problem.path for other in inside)
        if problem.kind in ("too_short", "tuple_type", "string_type") and of_items:
            continue
        if problem.kind == "missing" and problem.path in meant:
            continue
        same = [other for other in problems if other.path == problem.path and other is not problem]
        if problem.kind in _WRONG_KIND and any(other.kind not in _OF_A_TYPE for other in same):
            continue
        kept.append(problem)
    return kept


def _text(problem: _Problem, source: Source, model: type[BaseModel]) -> str:
    path, details = problem.path, problem.details
    key, origin = ".".join(map(str, path)), source.origin(path)
    if problem.kind == "extra_forbidden":
        return f"{origin}: unknown key {key!r}{_suggestion(problem, model)}"
    if problem.kind == "missing" and isinstance(path[-1], int):
        above = ".".join(map(str, path[:-1]))
        return f"{origin}: {above} has {path[-1]} items; it must have more"
    if problem.kind == "missing":
        return f"{origin}: the key {key!r} is missing{_instead(problem, model)}"
    if problem.kind == "union_tag_not_found":
        return f"{origin}: {key} states no kind{_range_hint(problem)}"
    if problem.kind == "invalid_key":
        return f"{origin}: the key {shown(details['input'])} is not a word; put it in quotes"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if problem.kind == "value_error" and (_is_section(details["input"]) or not path):
        return f"{named_origin(message, path, source)}: {_joined(key, message, problem, model)}"
    value = details["input"]
    if problem.kind == "union_tag_invalid" and isinstance(value, Mapping):
        key, value = f"{key}.kind", value.get("kind")
    if problem.kind in _RULES:
        message = _RULES[problem.kind](details, value)
    message = message.removeprefix("Input ")
    return f"{origin}: {key}={shown(value)} {message}{_keys_of(problem, model)}"


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping | BaseModel)


def _joined(key: str, message: str, problem: _Problem, model: type[BaseModel]) -> str:
    """A rule between several keys that begins with one of them gets the section in front of it."""
    if not key:
        return message
    here = model_at(model, problem.raw)
    first = re.match(r"\w*", message)
    is_named = here is None or (first is not None and first[0] in here.model_fields)
    return f"{key}.{message}" if is_named else f"{key}: {message}"


def _of_kind(details: ErrorDetails, value: Any) -> str:
    wanted = _WRONG_KIND[details["type"]]
    hint = "; put it in quotes" if wanted == "a text" and isinstance(value, int | float) else ""
    return f"must be {wanted}{hint}"


def _within(details: ErrorDetails, _value: Any) -> str:
    words, name = _LIMITS[details["type"]]
    return f"must be {words} {details['ctx'][name]:g}"


def _one_of(details: ErrorDetails, value: Any) -> str:
    words = str(details["ctx"].get("expected") or details["ctx"].get("expected_tags"))
    if " or " not in words:
        words = " or ".join(words.rsplit(", ", 1))
    near = difflib.get_close_matches(
        str(value), re.findall(r"'([^']*)'", words), n=1, cutoff=NEAR_ENOUGH
    )
    return f"{f'is unknown; did you mean {near[0]!r}? It ' if near else ''}must be {words}"


def _of_length(details: ErrorDetails, value: Any) -> str:
    least, most = details["ctx"].get("min_length"), details["ctx"].get("max_length")
    if not value:
        return "is empty" if isinstance(value, str) else f"is empty; state at least {least}"
    things = "characters" if isinstance(value, str) else "items"
    limit = f"at least {least}" if least is not None else f"at most {most}"
    return f"has {len(value)} {things}; it must have {limit}"


def _like_a_word(details: ErrorDetails, value: Any) -> str:
    if not value:
        return "is empty"
    found = _WORD_PATTERN.fullmatch(details["ctx"]["pattern"])
    if found is None:
        return f"must match the pattern {details['ctx']['pattern']}"
    most = f", at most {int(found[1]) + 1} characters" if found[1] else ""
    return (
        "must be made of letters, digits, '.', '_' and '-' and begin with a letter or a digit"
        f"{most}"
    )


def _a_day(_details: ErrorDetails, _value: Any) -> str:
    return "must be a day, such as 2021-01-31"


_RULES: Final[Mapping[str, Callable[[ErrorDetails, Any], str]]] = {
    **dict.fromkeys(_WRONG_KIND, _of_kind),
    **dict.fromkeys(_LIMITS, _within),
    **dict.fromkeys(("literal_error", "union_tag_invalid"), _one_of),
    **dict.fromkeys(("too_short", "too_long", "string_too_short", "string_too_long"), _of_length),
    "string_pattern_mismatch": _like_a_word,
    **dict.fromkeys(
        (
            "date_type",
            "date_parsing",
            "date_from_datetime_parsing",
            "date_from_datetime_inexact",
        ),
        _a_day,
    ),
}
"""The rule that was broken, by the type of the problem."""


def _keys_of(problem: _Problem, root: type[BaseModel]) -> str:
    """The keys of the section that something else was written in place of."""
    if problem.kind == "model_attributes_type":
        return _range_hint(problem)
    here = model_at(root, problem.raw) if problem.kind == "model_type" else None
    return f"; its keys are {', '.join(here.model_fields)}" if here is not None else ""


def _range_hint(problem: _Problem) -> str:
    """How a searched parameter is written: the only section whose keys depend on its kind."""
    value, name = problem.details["input"], str(problem.path[-1])
    if isinstance(value, Mapping) and any(isinstance(one, Mapping) for one in value.values()):
        inner = next(key for key, one in value.items() if isinstance(one, Mapping))
        return f"; write the path as one key, {name}.{inner}: {{kind: ...}}"
    return "; write a range, such as {kind: real, low: 1, high: 5}"


def _instead(problem: _Problem, root: type[BaseModel]) -> str:
    """What a missing section is for, where the keys alone would not tell."""
    if problem.path == ("data",):
        return (
            "; name instruments of the store or a simulated market, such as data: {simulated: {}}"
        )
    if problem.path == ("fetch",):
        return "; experiments/configs/fetch.yaml shows what `ninefold data fetch` takes"
    if problem.path == ("sweep", "space"):
        return "; state what is searched, such as exits.stop_atr: {kind: real, low: 1, high: 5}"
    here = model_at(root, problem.raw)
    return f"; its keys are {', '.join(here.model_fields)}" if here is not None else ""


def _near_key(problem: _Problem, root: type[BaseModel]) -> str | None:
    """The valid key of the same section that an unknown one resembles."""
    model = model_at(root, problem.raw[:-1])
    if model is None:
        return None
    found = difflib.get_close_matches(
        str(problem.path[-1]), list(model.model_fields), n=1, cutoff=NEAR_ENOUGH
    )
    return found[0] if found else None


def _suggestion(problem: _Problem, root: type[BaseModel]) -> str:
    path, value = problem.path, problem.details["input"]
    if path == ("sweep",):
        return "; this is a sweep's configuration, which `ninefold sweep run` takes"
    if path == ("validation",):
        return "; it belongs to the configuration of a sweep, beside the section sweep"
    if path == ("fetch",):
        return "; this is a list of what to fetch, which `ninefold data fetch` takes"
    model = model_at(root, problem.raw[:-1])
    if model is None:
        return ""
    name, names = str(path[-1]), list(model.model_fields)
    valid = f"{_VALID}{', '.join(names)}"
    inside = list(value) if isinstance(value, Mapping) else []
    homes = [home for key in inside for home in homes_of(str(key), root)[:1]]
    homes = homes or homes_of(name, root)[:1]
    near = _near_key(problem, root)
    if near and (not homes or _likeness(name, near) >= SURELY_MEANT):
        homes = [near]
    return f"; did you mean {' and '.join(map(repr, homes))}? {valid}" if homes else f"; {valid}"


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
