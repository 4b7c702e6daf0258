"""The page of the public Python names."""

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import experiments

from .markdown import paragraphs, table

HEAD = """# Python

What `from experiments import …` offers. Everything that a command does is one of these functions;
results are frozen dataclasses that hold arrays. Nothing is read or written unless a path is given.

```python
from experiments import load_config, run

config = load_config("experiments/configs/quickstart.yaml", ["consensus.quorum=5"])
result = run(config, store="data", runs=None)
print(result.metrics["sharpe"], result.n_trades)
equity = result.frame("equity")  # the tables of the run folder as pandas
```
"""


def python_page() -> str:
    """Every exported name with its signature, its documentation and, of a result, its fields."""
    return "\n".join([HEAD, *("\n".join(_lines(name)) for name in experiments.__all__)])


def _lines(name: str) -> Iterator[str]:
    value: Any = getattr(experiments, name)
    if inspect.isclass(value):
        yield f"## `{name}`\n"
        yield f"{paragraphs(value.__doc__ or '')}\n"
        if is_dataclass(value):
            rows = ((f"`{field.name}`", f"`{_type(field.type)}`") for field in fields(value))
            yield table(("field", "type"), rows)
            yield ""
        for member, found in vars(value).items():
            if not member.startswith("_") and inspect.isfunction(found) and found.__doc__:
                yield f"* `.{member}{_signature(found)}`: {' '.join(paragraphs(found.__doc__).split())}"
            if isinstance(found, property) and found.__doc__:
                yield f"* `.{member}`: {' '.join(paragraphs(found.__doc__).split())}"
    else:
        yield f"## `{name}{_signature(value)}`\n"
        yield paragraphs(value.__doc__ or "")
    yield ""


def _signature(function: Any) -> str:
    """Names and defaults without types; a default that is an object of this process is left out."""
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        default = parameter.default
        is_plain = isinstance(default, str | int | float | bool | tuple | None)
        if default is not inspect.Parameter.empty and not is_plain:
            parameter = parameter.replace(default=...)
        if parameter.name != "self":
            shown.append(parameter.replace(annotation=inspect.Parameter.empty))
    return str(inspect.Signature(shown))


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return text.replace("typing.", "").replace("collections.abc.", "")
