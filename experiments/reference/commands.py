"""The page of the command line, from the program itself."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from ..cli import app
from .markdown import paragraphs, table

HEAD = """# Command line

`ninefold COMMAND --help` prints the same. Results go to stdout, progress and errors to stderr; exit
codes and what several commands have in common stand in [cli.md](../cli.md)."""


def commands_page() -> str:
    """Every command with its arguments and options."""
    root: Any = get_command(app)
    return "\n".join([HEAD, *_commands("ninefold", root)])


def _commands(name: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield "\n".join(_lines(name, command))
        return
    for word, one in inner.items():
        yield from _commands(f"{name} {word}", one)


def _lines(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    usage = " ".join([name, *(_argument(one) for one in arguments)])
    yield f"## `{usage}`\n"
    yield f"{paragraphs(command.help or '')}\n"
    rows = [
        (f"`{one.metavar or one.name.upper()}`", _told(one), _default(one)) for one in arguments
    ]
    options = [
        one
        for one in command.params
        if one.param_type_name == "option" and not one.hidden and "--help" not in one.opts
    ]
    rows += [(_option(one), _told(one), _default(one)) for one in options]
    if rows:
        yield table(("argument or option", "what it is", "default"), rows)
        yield ""


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _option(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag or not parameter.metavar else f"{names} `{parameter.metavar}`"


def _told(parameter: Any) -> str:
    return paragraphs(parameter.help or "")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    value = parameter.default
    if (
        value is None
        or callable(value)
        or getattr(parameter, "is_flag", False)
        or value in ((), [])
    ):
        return ""
    return f"`{value}`"
