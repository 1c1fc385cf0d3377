"""`isb-migrate formats`."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.options import json_option, option
from migrate.cli.output import data, data_json, table
from migrate.formats.catalogue import examples, refused_examples, schema_text, schema_types
from migrate.formats.describe import members

if TYPE_CHECKING:
    from migrate.formats.compat.claim import Claim

_EXIT = {"compatible": 0, "incompatible": 1, "cannot tell": 6}


@click.group("formats")
def command() -> None:
    """List, show or compare message formats.

    \b
    Example:
      isb-migrate formats show custody-record/3
    """


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the built-in formats, and what each changes about the version before it.

    \b
    Example:
      isb-migrate formats list
    """
    rows = [_row(type_) for type_ in schema_types()]
    if as_json:
        data_json(rows)
    else:
        table([*rows[0]], [[*row.values()] for row in rows])


def _row(type_: str) -> dict[str, Any]:
    from migrate.formats.compat.load import backward, before

    schema = json.loads(schema_text(type_))
    earlier = before(type_)
    return {
        "type": type_,
        "title": schema["title"],
        "id": schema["$id"],
        "examples": len(examples(type_)),
        "refused": len(refused_examples(type_)),
        "after": earlier,
        "backward": backward(earlier, type_).answer if earlier else None,
        "forward": backward(type_, earlier).answer if earlier else None,
    }


@command.command("show")
@click.argument("type_", metavar="TYPE")
@json_option
def show(type_: str, as_json: bool) -> None:
    """Show the members of a built-in format, and what its examples are about.

    With --json: the schema and every example, those that are refused with the reason why.

    \b
    Example:
      isb-migrate formats show address/1
    """
    schema = json.loads(schema_text(type_))
    refused = refused_examples(type_)
    if as_json:
        data_json(
            {
                "type": type_,
                "schema": schema,
                "examples": examples(type_),
                "refused": {name: each._asdict() for name, each in refused.items()},
            }
        )
        return
    data(f"{schema['title']}: {schema['description']}")
    data(schema["$id"])
    data("")
    columns = ("member", "kind", "must", "limits", "entity", "meaning")
    table(columns, [_shown(each) for each in members(schema)])
    data("")
    data(f"valid examples: {', '.join(examples(type_))}")
    table(("refused example", "at", "why"), [(name, x.place, x.why) for name, x in refused.items()])


def _shown(member: Any) -> list[str]:
    return ["yes" if cell is True else cell or "" for cell in member]


@command.command("compat")
@click.argument("old")
@click.argument("new")
@option(
    "--direction",
    type=click.Choice(["backward", "forward", "both"]),
    default="backward",
    help="backward: what OLD accepts, NEW accepts; forward: what NEW accepts, OLD accepts.",
)
@json_option
def compat(old: str, new: str, direction: str, as_json: bool) -> int:
    """Say whether NEW may take the place of OLD: built-in types, or files with a JSON Schema.

    A "no" is shown by a document that one side accepts and the other refuses (--json prints
    it). What cannot be decided is said with keyword and place; it is never called compatible.

    Exit code 0 compatible, 1 incompatible in the direction asked for, 6 cannot tell.

    \b
    Examples:
      isb-migrate formats compat custody-record/2 custody-record/3
      isb-migrate formats compat old.json new.json --direction both --json
    """
    from migrate.formats.compat.claim import claim
    from migrate.formats.compat.load import load

    first, second = load(old), load(new)
    claims = {}
    if direction != "forward":
        claims["backward"] = claim(first, second)
    if direction != "backward":
        claims["forward"] = claim(second, first)
    if as_json:
        data_json({name: asdict(each) for name, each in claims.items()})
    else:
        for name, each in claims.items():
            _say(name, each)
    codes = {_EXIT[each.answer] for each in claims.values()}
    return 1 if 1 in codes else max(codes)


def _say(direction: str, found: "Claim") -> None:
    data(f"{direction}: {found.answer} (what {found.a} accepts, {found.b} accepts)")
    if found.reasons:
        columns = ("at", "keyword", found.a, found.b, "shown by a document")
        rows = [
            (each.place, each.keyword, each.a, each.b, "yes" if each.shown else "cannot tell")
            for each in found.reasons
        ]
        table(columns, rows)
