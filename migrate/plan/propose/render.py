"""The text of a proposed plan: every guess says so, and every decision is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from migrate.core.redact_url import url_secrets
from migrate.plan.propose.outputs import map_file, message_type, schema_file
from migrate.plan.propose.payload import Payload
from migrate.plan.propose.proposal import Proposal, ProposedFlow, ProposedStore, table_names
from migrate.plan.propose.toml import Value, comment, key, pair, text

VARIABLE = "ISB_URL"
"""The environment variable that stands for a URL with a secret in it."""

UNDECIDED = "not decided yet"
BUS_FILE = "rehearsal-bus.db"
_HEAD = """\
# A proposal by `isb-migrate init`, of: {what}.
# Look at every line before you use it. GUESS marks what was guessed, DECIDE and TO BE COMPLETED
# what only people can say. As it stands nothing is replayed: every message is archived, which is
# kept on the bus's archive and delivered to no live system.
"""
_UNDECIDED = """\
# What becomes of a message: the first rule that holds decides. To replay what is live, say in the
# first rule which messages those are, and take the # off it, the output and the off-ramp below."""
_SILENT = RecordSpec()


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a plan is to stand, and what the person who asked for it said."""

    folder: Path
    name: str
    given: str  # the URL or path, as it was given
    allow_writes: bool


def render(proposal: Proposal, setting: Setting) -> str:
    """The plan, as TOML."""
    parts = [_HEAD.format(what=proposal.what), *_plan(proposal, setting)]
    for store in proposal.stores:
        parts += _store(store, setting)
        for flow in store.flows:
            parts += _flow(flow)
    parts += _bus()
    return "\n".join(parts) + "\n"


def written_url(spec: StoreSpec, setting: Setting) -> str:
    """A store's URL as the plan may hold it: no secret, and below its folder by ${PLAN_DIR}."""
    if "${" in setting.given:
        return setting.given
    if url_secrets(spec.url):
        return f"${{{VARIABLE}}}"
    head, slashes, file = spec.url.partition("sqlite:///")
    path = file if slashes and not head else spec.url
    if "://" in path or not Path(path).is_absolute():
        return spec.url
    if Path(path).is_relative_to(setting.folder):
        path = f"${{PLAN_DIR}}/{Path(path).relative_to(setting.folder).as_posix()}"
    return f"{slashes if not head else ''}{path}"


def _plan(proposal: Proposal, setting: Setting) -> Iterator[str]:
    yield "[plan]"
    yield pair("name", setting.name)
    word = setting.name.replace("_", "-")
    namespace = word if word == "isb" else f"isb.{word}"
    yield pair(
        "namespace", namespace, "DECIDE before the first real run: every message id is made of it"
    )
    yield pair("environment", "rehearsal")
    yield pair("marking", "OFFICIAL-SENSITIVE", "DECIDE: rides on every message and report")
    if _is_local(proposal):
        yield pair("timezone", "Europe/London", "whose wall clock times called local are")
    yield ""
    tables = table_names(proposal.stores)
    if tables:
        yield "[tables]"
        for name, (store, query) in tables.items():
            yield pair(name, {"store": store, "query": query})
        yield ""


def _is_local(proposal: Proposal) -> bool:
    times = [spec for flow in proposal.flows for _, spec in flow.draft.source.times]
    return any(spec.kind == "local" for spec in times)


def _store(store: ProposedStore, setting: Setting) -> Iterator[str]:
    spec = store.spec
    yield from map(comment, store.draft.notes)
    yield f"[store.{key(spec.name)}]"
    yield pair("kind", spec.kind)
    yield pair("url", written_url(spec, setting))
    if spec.schema:
        yield pair("schema", spec.schema)
    if store.can_write is not None:
        why = f"this account can change the store ({store.can_write}): use one that can only read"
        line = pair("allow_writes", True, why)
        yield line if setting.allow_writes else f"# {line}"
    if spec.options:
        yield pair("options", dict(spec.options))
    yield ""
    if spec.out_of_scope:
        yield f"[store.{key(spec.name)}.out_of_scope]"
        yield from (pair(name, why) for name, why in spec.out_of_scope)
        yield ""


def _flow(flow: ProposedFlow) -> Iterator[str]:
    source, where = flow.draft.source, f"flow.{key(flow.name)}"
    yield from map(comment, flow.draft.notes)
    yield f"[{where}]"
    yield from _source(source, flow.draft.remarks)
    yield ""
    yield from _columns(where, source, flow.draft.remarks)
    yield from _record(where, source.record)
    yield from _payload(where, flow.payload)
    yield from _fates(where, flow)


def _source(source: SourceSpec, remarks: Mapping[str, str]) -> Iterator[str]:
    yield pair("store", source.store)
    given: dict[str, Value] = {
        "from": source.from_,
        "where": source.where or "",
        "key": source.key,
        "order_by": source.order_by,
        "headers": source.headers,
        "delivered": source.delivered or "",
        "charset": source.charset or "",
    }
    for name, each in given.items():
        if each:
            yield pair(name, each, remarks.get(name))


def _columns(where: str, source: SourceSpec, remarks: Mapping[str, str]) -> Iterator[str]:
    if source.columns:
        yield f"[{where}.columns]"
        timed = dict(source.times)
        for role, name in source.columns:
            yield pair(role, name, None if role in timed else remarks.get(role))
        yield ""
    if source.times:
        yield f"[{where}.time]"
        for role, spec in source.times:
            yield pair(role, spec.kind, remarks.get(role))
        never = sorted({each for _, spec in source.times for each in spec.never})
        if never:
            yield pair("never", never, "GUESS: these mean no time")
        yield ""


def _record(where: str, record: RecordSpec) -> Iterator[str]:
    if record.format == "file":
        return
    yield f"[{where}.record]"
    yield pair("format", record.format)
    for name in ("each", "header", "delimiter", "quote", "record_type", "columns", "charset"):
        each = getattr(record, name)
        if each != getattr(_SILENT, name):
            yield pair(name, each)
    yield ""


def _payload(where: str, payload: Payload) -> Iterator[str]:
    yield from map(comment, payload.notes)
    yield f"[{where}.payload]"
    yield pair("format", payload.spec.format)
    if payload.spec.namespaces:
        yield pair("ns", dict(payload.spec.namespaces))
    yield ""
    if payload.spec.fields:
        yield f"# Behind each field: how many have it, of {payload.read} bodies in a sample."
        yield f"[{where}.payload.fields]"
        for field, number in zip(payload.spec.fields, payload.counts, strict=True):
            many: Value = {"select": field.select, "many": True}
            yield pair(field.name, many if field.many else field.select, str(number))
        yield ""


def _fates(where: str, flow: ProposedFlow) -> Iterator[str]:
    if flow.payload.spec.fields:
        yield _UNDECIDED
        yield f"# [[{where}.fate]]"
        yield f"# {pair('rule', 'live')}"
        yield f"# {pair('when', 'false', _such_as(flow.draft.source))}"
        yield f"# {pair('fate', 'replayed')}"
        yield ""
    yield f"[[{where}.fate]]"
    yield pair("rule", UNDECIDED)
    yield pair("when", "true")
    yield pair("fate", "archived")
    yield ""
    if flow.payload.spec.fields:
        ramp = message_type(flow).rpartition("/")[0]
        yield f"# [[{where}.output]]"
        yield f"# {pair('name', 'message')}"
        yield f"# {pair('type', message_type(flow))}"
        yield f"# {pair('map', map_file(flow))}"
        yield f"# {pair('schema', schema_file(flow))}"
        yield f"# routes = [{{ to = {text(ramp)} }}]"
        yield f"# [offramp.{ramp}]"
        yield ""


def _such_as(source: SourceSpec) -> str:
    if source.column("status"):
        return "DECIDE: such as status IN ('NEW', 'INFLIGHT')"
    if source.column("created_at"):
        return "DECIDE: such as created_at >= TIMESTAMPTZ '2018-01-01 00:00:00+00'"
    return "DECIDE: which messages are live"


def _bus() -> Iterator[str]:
    yield "# DECIDE: the new bus. Until then an embedded one, in a file beside this plan."
    yield "[bus.metip]"
    yield pair("kind", "sql")
    yield pair("url", f"sqlite:///${{PLAN_DIR}}/{BUS_FILE}")
