"""``ninefold data``: what the store holds, how it gets there, and whether it is sound."""

import typer

from . import checking, contents, fetching, importing, kinds, simulating, upkeep

app = typer.Typer(
    help="Import, fetch, check, list, query and keep data.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("import")(importing.import_)
app.command("fetch")(fetching.fetch)
app.command("check")(checking.check)
app.command("formats")(importing.formats)
app.command("kinds")(kinds.kinds)
app.command("simulate")(simulating.simulate)
app.command("ls")(contents.ls)
app.command("sql")(contents.sql)
app.command("verify")(upkeep.verify)
app.command("compact")(upkeep.compact)
app.command("rm")(upkeep.rm)
app.command("export")(upkeep.export)
