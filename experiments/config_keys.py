"""Where the keys of a configuration live: its tree of sections as types."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def homes_of(name: str, model: type[BaseModel], above: str = "") -> list[str]:
    """The keys called ``name`` in the whole tree, those nearest to its root first."""
    homes = [f"{above}{name}"] if name in model.model_fields else []
    for key, field in model.model_fields.items():
        for inner in models_in(field.annotation)[:1]:
            homes += homes_of(name, inner, f"{above}{key}.")
    return sorted(homes, key=lambda home: home.count("."))


def model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The section at ``path``, whose parts name keys, items, names of a mapping and union branches."""
    here: list[type[BaseModel]] = [model]
    is_name = False
    for part in path:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        tagged = [one for one in here if _is_tagged(one, part)]
        if len(here) > 1 and tagged:
            here = tagged
            continue
        if not here or part not in here[0].model_fields:
            return None
        annotation = here[0].model_fields[part].annotation
        here, is_name = models_in(annotation), get_origin(annotation) is Mapping
    return here[0] if here else None


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    kind = model.model_fields.get("kind")
    return kind is not None and tag in get_args(kind.annotation)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a value of this type may be, or hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple, Mapping):
        return [model for one in get_args(annotation) for model in models_in(one)]
    return []
