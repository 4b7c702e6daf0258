"""``ninefold config``: what a configuration says once overrides and defaults are in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson, ConfigPath, Overrides
from .output import print_json

if TYPE_CHECKING:
    from ..config import RunConfig

app = typer.Typer(
    help="Show, check and describe configurations.", no_args_is_help=True, add_completion=False
)


@app.command()
def show(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print every key with its value after defaults and overrides, and the hash."""
    import yaml

    from .. import config_hash
    from ..config_file import resolved

    loaded = _loaded(config, overrides or [])
    if as_json:
        print_json({"config_hash": config_hash(loaded), "config": resolved(loaded)})
        return
    typer.echo(f"# config_hash: {config_hash(loaded)}")
    typer.echo(yaml.safe_dump(resolved(loaded), sort_keys=False, allow_unicode=True), nl=False)


@app.command()
def validate(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Check keys, types and ranges, of a sweep the space too; exit code 2 when something is wrong."""
    from .. import config_hash

    loaded = _loaded(config, overrides or [])
    if as_json:
        print_json({"valid": True, "name": loaded.name, "config_hash": config_hash(loaded)})
        return
    typer.echo(f"{config}: valid ({loaded.name}, {config_hash(loaded)[:8]})")


@app.command()
def schema(
    _as_json: Annotated[
        bool, typer.Option("--json", help="Accepted for symmetry: the schema is JSON anyway.")
    ] = False,
) -> None:
    """Print the JSON Schema of a configuration, for editors."""
    from .. import config_schema

    print_json(config_schema())


def _loaded(path: Path, overrides: list[str]) -> "RunConfig":
    """The configuration of a run or, where it has a section ``sweep``, of a sweep."""
    from engine import ConfigError

    from .. import load_config
    from ..sweeps.space import load_searchable
    from ..yaml_source import overridden, read_source

    tree = overridden(read_source(path), overrides).tree
    if "fetch" in tree:
        raise ConfigError(
            f"{path}: says what `ninefold data fetch` brings, it is not a run or a sweep"
        )
    return load_searchable(path, overrides) if "sweep" in tree else load_config(path, overrides)
