"""The ``heads`` section: one subsection for each head, made from the head's own dataclass."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    create_model,
    model_validator,
)

from indicators import INDICATORS_BY_NAME, Indicator
from strategies import HEADS, Head, Range

from .config_features import HeadFile, own_head_names
from .config_user_rules import UserRuleConfig, user_rules
from .own_heads import own_head

HEAD_NAMES: Final = tuple(head.name for head in HEADS)
"""The nine heads in vote order."""
OWN_HEADS: Final = "own_heads"
"""Under this word, whoever checks a configuration says which heads its files hold."""
RULES_FIELD: Final = "user_rules"
"""The parameter that holds rules of the user: sections here, conditions over features in the head."""


class HeadsSection(BaseModel):
    """Which heads vote, and their parameters; a head that is not enabled abstains on every bar.

    ``files`` are heads of the user's own (see docs/how-to/own-head.md); they vote after the nine. Where
    ``enabled`` is not stated, the nine and those of the files vote.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    enabled: tuple[str, ...] = HEAD_NAMES
    files: tuple[HeadFile, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _with_own(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "enabled" in data or not data.get("files"):
            return data
        return {**data, "enabled": (*HEAD_NAMES, *own_head_names(data["files"]))}

    @model_validator(mode="after")
    def _named_once(self) -> "HeadsSection":
        own = own_head_names(self.files)
        for name in own:
            if name in HEAD_NAMES or own.count(name) > 1:
                raise ValueError(
                    f"files: there is a head {name!r} already; call this one otherwise"
                )
        twice = [name for name in (*HEAD_NAMES, *own) if self.enabled.count(name) > 1]
        if twice:
            raise ValueError(f"enabled names {twice[0]!r} twice; a head votes once")
        return self

    @property
    def has_user_rules(self) -> bool:
        """Whether the user states rules of his own."""
        return any(getattr(getattr(self, name), RULES_FIELD, ()) for name in HEAD_NAMES)

    def instances(
        self,
        indicators: Mapping[str, Indicator] = INDICATORS_BY_NAME,
        *,
        only_listed: bool = True,
        with_files: bool = True,
    ) -> tuple[Head, ...]:
        """The nine heads with these parameters, then those of ``files``, enabled or not: vote order.

        The features of the user's rules are looked up in ``indicators``; unless ``only_listed``, others are
        taken as they are written. ``files`` are run unless ``with_files`` is false. Raises ConfigError for
        a rule or a parameter that does not fit, and for a file that cannot be used.
        """
        made = []
        for head in HEADS:
            parameters = dict(getattr(self, head.name))
            if RULES_FIELD in parameters:
                parameters[RULES_FIELD] = user_rules(
                    parameters[RULES_FIELD], indicators, only_listed=only_listed
                )
            made.append(head(**parameters))
        return (*made, *(own_head(file) for file in self.files if with_files))


def _bounded(limits: Range, default: Any) -> Any:
    def check(value: Any) -> Any:
        if value != default and not limits.low <= value <= limits.high:
            raise ValueError(f"must lie in [{limits.low:g}, {limits.high:g}]")
        return value

    return check


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _head_section(head: type[Head]) -> type[BaseModel]:
    hints = get_type_hints(head)
    definitions: dict[str, Any] = {}
    for field in fields(head):
        if not field.init:
            continue
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        annotation: Any = hints[field.name]
        if field.name == RULES_FIELD:
            annotation = tuple[UserRuleConfig, ...]
        limits: Range | None = head.SPACE.get(field.name)
        if annotation in (int, float):
            annotation = Annotated[annotation, BeforeValidator(_not_bool)]
        if limits is not None:
            annotation = Annotated[
                annotation,
                AfterValidator(_bounded(limits, default)),
                Field(json_schema_extra={"minimum": limits.low, "maximum": limits.high}),
            ]
        definitions[field.name] = (annotation, default)
    return create_model(
        f"{head.__name__}Config",
        __config__=HeadsSection.model_config,
        __doc__=f"Parameters of the {head.name} head.",
        **definitions,
    )


def own_names(info: ValidationInfo) -> tuple[str, ...]:
    """The names of the heads that the configuration's files hold, while it is checked."""
    return tuple((info.context or {}).get(OWN_HEADS, ()))


def _or_own(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    return value if value in own_names(info) else handler(value)


def _heads_section() -> type[HeadsSection]:
    sections: Mapping[str, type[BaseModel]] = {head.name: _head_section(head) for head in HEADS}
    name_type: Any = Annotated[
        Literal[HEAD_NAMES],
        WrapValidator(_or_own),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"anyOf": [{"enum": list(HEAD_NAMES)}, {"type": "string"}]}),
    ]
    definitions: dict[str, Any] = {
        name: (section, Field(default_factory=section)) for name, section in sections.items()
    }
    enabled: Any = (tuple[name_type, ...], Field(HEAD_NAMES, min_length=1))
    return create_model(
        "HeadsConfig",
        __base__=HeadsSection,
        __doc__=HeadsSection.__doc__,
        enabled=enabled,
        **definitions,
    )


if TYPE_CHECKING:
    HeadsConfig = HeadsSection
else:
    HeadsConfig = _heads_section()
