"""``ninefold config``: what a configuration says once overrides and defaults are in."""

from typing import Annotated

import typer

from .options import AsJson, ConfigPath, Overrides
from .output import print_json

app = typer.Typer(
    help="Show, check and describe configurations.", no_args_is_help=True, add_completion=False
)


@app.command()
def show(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print every key with its value after defaults and overrides, and the hash."""
    import yaml

    from .. import config_hash, load_config
    from ..config_file import resolved

    loaded = load_config(config, overrides or ())
    if as_json:
        print_json({"config_hash": config_hash(loaded), "config": resolved(loaded)})
        return
    typer.echo(f"# config_hash: {config_hash(loaded)}")
    typer.echo(yaml.safe_dump(resolved(loaded), sort_keys=False, allow_unicode=True), nl=False)


@app.command()
def validate(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Check keys, types and ranges; exit code 2 when something is wrong."""
    from .. import config_hash, load_config

    loaded = load_config(config, overrides or ())
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
