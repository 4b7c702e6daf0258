"""Parameters of heads of the user's own, by their paths: ``heads.files.<head>.<parameter>``."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine import ConfigError

from ..config_problems import NEAR_ENOUGH

FILES_PATH: Final = "heads.files"
_ITEM_KEYS: Final = ("path", "sha256", "name", "parameters")


class OwnParameter(NamedTuple):
    """The parameter ``name`` of the head of ``heads.files`` that is called ``head``."""

    head: str
    name: str


def own_parameter(path: str) -> OwnParameter | None:
    """What ``path`` names; None where it does not lead to a parameter of a head of the user's own."""
    if not path.startswith(f"{FILES_PATH}."):
        return None
    head, _, name = path.removeprefix(f"{FILES_PATH}.").partition(".")
    return OwnParameter(head, name) if name and "." not in name else None


def assign_own(tree: Mapping[str, Any], parameter: OwnParameter, value: Any) -> None:
    """Give a head of the resolved ``tree`` another value of a parameter, in place."""
    for file in tree["heads"]["files"]:
        if file["name"] == parameter.head:
            file["parameters"][parameter.name] = value


def check_own_path(path: str, tree: Mapping[str, Any]) -> None:
    """ConfigError unless ``path`` names a head of ``tree`` that votes, and one parameter.

    Whether the head has the parameter is known when its file runs (``checked_files``).
    """
    at, heads = f"sweep.space.{path}", [file["name"] for file in tree["heads"]["files"]]
    if not heads:
        raise ConfigError(f"{at}: the configuration has no {FILES_PATH}, so no head of its own")
    known = f"the heads of {FILES_PATH} are {', '.join(heads)}"
    head, *rest = path.removeprefix(FILES_PATH).removeprefix(".").split(".")
    if head and head not in heads:
        near = difflib.get_close_matches(head, heads, n=1, cutoff=NEAR_ENOUGH)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"{at}: there is no head {head!r}; {meant}{known[0].upper()}{known[1:]}")
    if own_parameter(path) is None:
        example = f"{FILES_PATH}.{head or heads[0]}.<parameter>"
        extra = f"; leave {rest[0]!r} out" if len(rest) > 1 and rest[0] in _ITEM_KEYS else ""
        raise ConfigError(
            f"{at}: name a head and one of its parameters, {example}{extra}"
            f"{'' if head else f'; {known}'}"
        )
    if head not in tree["heads"]["enabled"]:
        raise ConfigError(
            f"{at}: {head} does not vote, so that nothing would change; add it to heads.enabled"
        )


def check_own_values(path: str, values: Sequence[Any]) -> None:
    """ConfigError for a value that no parameter of a head may have: a list, a section, or null."""
    for value in values:
        if not isinstance(value, bool | int | float | str):
            raise ConfigError(
                f"sweep.space.{path}: {value!r} must be true or false, a number or a text"
            )
