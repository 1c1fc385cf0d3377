"""The plan reference, written from the model: `python -m migrate.plan.reference`.

Prints docs/reference/plan.md; with `--schema` the JSON Schema for editors,
docs/reference/plan.schema.json.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from migrate.plan.explain import as_toml
from migrate.plan.flow_model import OutputModel, RouteModel
from migrate.plan.model import PlanModel
from migrate.plan.walk import keys_of, sections

_ABOUT = re.compile(r"^`\[[^`]*`: ")
SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"

_INTRODUCTION = """\
# The plan file

<!-- Written by `python -m migrate.plan.reference`; change the model, not this page. -->

One TOML file says what is migrated, how, and what must hold afterwards. It is strict: a key
that is not on this page is an error, and so is a value of another type. Relative paths start at
the folder of the plan. `isb-migrate check PLAN` tries everything in it before anything moves.

`NAME` stands for a name of your choosing: lower-case letters, digits, `-` and `_`, a letter first.
Off-ramps may also have capitals and `.`, `:`, `/`; payload fields and reference tables have names
that SQL can use unquoted.

For completion in an editor, name [plan.schema.json](plan.schema.json) on the first line:

```toml
#:schema plan.schema.json
```

A small plan, whole:

```toml
"""

_EXAMPLE = """\
[plan]
name = "isb"
namespace = "met.isb"
environment = "rehearsal"
marking = "OFFICIAL-SENSITIVE"
timezone = "Europe/London"

[store.isb]
kind = "sql"
url = "${ISB_URL}"
out_of_scope = { isb_audit = "retained by Records Management, RRD-12" }

[flow.custody]
store = "isb"
from = "isb_message"
where = "flow = 'CUST'"
key = ["msg_id"]
columns = { body = "payload", status = "state", created_at = "put_local", order_key = "custody_no" }
time = { created_at = "local" }
fate = [
  { rule = "done", when = "status = 'DONE'", fate = "archived" },
  { rule = "live", when = "status IN ('NEW', 'INFLIGHT')", fate = "replayed" },
]

[flow.custody.payload]
format = "xml"
ns = { c = "urn:nspis:custody" }
fields = { no = { select = "/c:rec/c:no", required = true }, ver = "/c:rec/@ver" }

[[flow.custody.output]]
name = "custody"
type = "custody-record/2"
map = "custody.sql"
routes = [{ to = "custody", lane = "express" }]

[[flow.custody.invariant]]
name = "custody number survives"
sql = "SELECT legacy_id FROM pairs WHERE legacy.no <> message.custodyNumber"

[bus.metip]
kind = "sql"
url = "${METIP_URL}"

[offramp.custody]
duplicates = "message_id"
"""

_SECRETS = """\
## References and secrets

In `url` and `options` of stores and buses, and nowhere else:

| written | becomes |
|---|---|
| `${NAME}` | the environment variable `NAME` |
| `${PLAN_DIR}` | the folder of the plan |
| `${file:PATH}` | the text of a file, without its last line end |
| `file:PATH` as the whole value | the same |

A password in plain text is refused. A secret that stands inside a URL must be percent-encoded
(`@` is `%40`, `/` is `%2F`); put the whole URL into the variable to avoid that. The variables of
the bus are needed by a real run only.

## What makes two plans the same

A run belongs to the plan it was started with. The plan's digest covers every key as written,
before references are resolved, and the bytes of mappings, schemas and reference files. It does
not cover `url`, `limits` of stores and flows, `rate`, `backlog` and `blackout` of off-ramps, and
`[legacy]`: a run may be resumed from another host, slower, or at other hours. Comments and the
order of keys do not matter.
"""


def markdown() -> str:
    """The reference page."""
    parts = [_INTRODUCTION + _EXAMPLE + "```\n"]
    parts += [_section(heading, model) for heading, model in sections()]
    return "\n".join((*parts, _SECRETS))


def json_schema() -> str:
    """The JSON Schema of the plan file, for editors."""
    schema = {"$schema": SCHEMA_ID, **PlanModel.model_json_schema(by_alias=True)}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _section(heading: str, model: type[BaseModel]) -> str:
    head = "## `[tables]`" if heading == "[tables.NAME]" else f"## `{_shown(heading, model)}`"
    about = _ABOUT.sub("", " ".join((model.__doc__ or "").split()))
    about = about[:1].upper() + about[1:]
    rows = "\n".join(_rows(model))
    table = f"| key | type | default | meaning | example |\n|---|---|---|---|---|\n{rows}"
    return f"{head}\n\n{about}\n\n{table}\n"


def _shown(heading: str, model: type[BaseModel]) -> str:
    """Lists that are written inline are not shown as tables of their own."""
    inline = heading.startswith("[[") and model is not OutputModel and "invariant" not in heading
    return heading.strip("[]") + " = [{ … }]" if inline or model is RouteModel else heading


def _rows(model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    for key, field in keys_of(model).items():
        kind = type_text(schema["properties"][key], definitions)
        default = "**required**" if field.is_required() else _default(field.default)
        example = " or ".join(_code(as_toml(one)) for one in field.examples or [])
        cells = (_code(key), kind, default, field.description or "", example)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(value: Any) -> str:
    if value is None or isinstance(value, BaseModel) or value in ([], {}):
        return "—"
    return _code(as_toml(value))


def _code(text: str) -> str:
    return f"`{text}`"


def type_text(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A JSON Schema in a few words: `text`, `array of text`, `"a" or "b"`, `table`."""
    if "$ref" in schema:
        return type_text(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return " or ".join(_code(f'"{one}"') for one in schema["enum"])
    if "anyOf" in schema:
        kinds = [type_text(one, definitions) for one in schema["anyOf"] if one != {"type": "null"}]
        return " or ".join(dict.fromkeys(kinds))
    return _plain_type(schema, definitions)


def _plain_type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    kind = schema.get("type", "value")
    if isinstance(kind, list):
        return " or ".join(_WORDS[one] for one in kind)
    if kind == "array":
        return f"array of {type_text(schema['items'], definitions)}".replace(
            " of table", " of tables"
        )
    if kind == "object" and "properties" not in schema:
        values = schema.get("additionalProperties")
        values = values or next(iter(schema.get("patternProperties", {"": {}}).values()))
        return f"table of {type_text(values, definitions)}"
    return _WORDS.get(str(kind), "value")


_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
}

if __name__ == "__main__":
    sys.stdout.write(json_schema() if "--schema" in sys.argv[1:] else markdown())
