"""Off-ramps in structured mode: what consumers of each bus get, as the official SDK reads it.

The truth about whom a delivery goes to is the estate's manifest; that about what is in it, a
rehearsal of the same estate in binary mode.
"""

import asyncio
import hashlib
import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import amqp, http, kafka

from migrate.core.clock import rfc3339
from migrate.core.flow import LANES
from tests import rabbitmq, services, stream_broker
from tests.formats.official import FORMAT
from tests.loaders import kafka_broker, nats_server
from tests.spine import rabbitmq_consumers
from tests.spine import test_jetstream as on_jetstream
from tests.spine import test_kafka_bus as on_kafka
from tests.spine import test_rabbitmq_bus as on_rabbitmq
from tests.spine import test_rabbitmq_stream as on_streams
from tests.spine.buses import Ran, Received, check_agrees, check_received, estate_on, run_on
from tests.spine.estate import Rehearsed, isb_migrate
from tests.spine.test_sql_buses import ROWS

STRUCTURED = 'mode = "structured"'
TYPE = "application/cloudevents+json"
MESSAGES = 300


def test_an_embedded_bus(tmp_path: Path) -> None:
    """A rehearsal; its bus holds one document a delivery, and nothing of an envelope beside it."""
    ran = estate_on(tmp_path, sql("sqlite:///unused.db"), STRUCTURED, messages=MESSAGES)
    done = rehearsed(ran, "structured")
    assert (done.summary["verdict"], done.summary["findings"]) == ("agrees", {})
    with done.bus() as bus:
        found = list(rows(bus.execute(ROWS)))
    check_received(ran, found)
    check_bodies(ran, found)


def test_an_outbox_with_claims(tmp_path: Path) -> None:
    """Events say where large bodies lie, and a receiver fetches them from there."""
    claims = f'claims = {{ url = "file://{tmp_path}/claims", above = "1 KiB" }}'
    ran = real_run(tmp_path, f"{sql(f'sqlite:///{tmp_path}/metip.db')}\n{claims}")
    with closing(sqlite3.connect(tmp_path / "metip.db")) as bus:
        found = list(rows(bus.execute(ROWS)))
    assert any("ce_dataref" in one.headers for one in found)
    assert not any("ce_dataref" in one.headers and one.body for one in found)
    check(ran, [redeemed(one, tmp_path / "claims") for one in found])


def redeemed(one: Received, claims: Path) -> Received:
    """A delivery with the body that it refers to, as the page on claims says."""
    headers = dict(one.headers)
    if "ce_dataref" not in headers:
        return one
    name = headers.pop("ce_dataref").removeprefix("urn:isb-migrate:claim:")
    body = (claims / name[:2] / name).read_bytes()
    assert headers.pop("ce_datalength") == str(len(body))
    assert headers.pop("ce_datadigest") == f"sha256:{hashlib.sha256(body).hexdigest()}"
    return replace(one, headers=headers, body=body)


@pytest.mark.service
def test_a_postgresql_outbox(tmp_path: Path) -> None:
    """By psycopg."""
    with services.database(services.postgresql()) as url:
        ran = real_run(tmp_path, sql(url))
        with closing(psycopg.connect(url.replace("+psycopg", ""))) as connection:
            check(ran, list(rows(connection.execute(ROWS))))


@pytest.mark.service
@pytest.mark.xdist_group("rabbitmq")
@pytest.mark.parametrize("queues", ["streams", "taps"])
def test_rabbitmq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queues: str) -> None:
    """By pika: streams are read, quorum queues are taken from while the witness reads their
    taps."""
    with rabbitmq.host() as host:
        monkeypatch.setenv("METIP_URL", host.url)
        more = 'queue = "stream"' if queues == "streams" else ""
        ramps = f'{STRUCTURED}\nobserve = "tap"' if queues == "taps" else STRUCTURED
        ran = real_run(tmp_path, on_rabbitmq.bus(host, more), ramps)
        consumed = getattr(rabbitmq_consumers, "streamed" if queues == "streams" else "taken")
        check(ran, list(by_pika(host, consumed)))


@pytest.mark.service
def test_jetstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By nats-py."""
    with nats_server.bus() as spec:
        prefix = dict(spec.options)["prefix"]
        monkeypatch.setenv("ISB_TEST_NATS_URL", spec.url)
        monkeypatch.setenv("ISB_TEST_NATS_PREFIX", prefix)
        ran = real_run(tmp_path, on_jetstream.BUS)
        check(ran, asyncio.run(on_jetstream.consume(spec.url, prefix, by_nats)))


@pytest.mark.service
def test_kafka(tmp_path: Path) -> None:
    """By confluent-kafka."""
    broker, prefix = kafka_broker.shared(), f"{uuid.uuid4().hex[:8]}."
    ran = real_run(tmp_path, on_kafka.bus(broker.url, prefix))
    check(ran, list(by_confluent(broker.servers, prefix)))


@pytest.mark.service
def test_rabbitmq_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By rstream."""
    server = stream_broker.shared()
    with server.vhost() as vhost:
        monkeypatch.setenv("ISB_TEST_STREAMS", server.url(vhost))
        ran = real_run(tmp_path, on_streams.BUS)
        check(ran, list(by_rstream(server, vhost, ran)))


def sql(url: str) -> str:
    return f'[bus.metip]\nkind = "sql"\nurl = "{url}"'


def real_run(folder: Path, bus: str, ramps: str = STRUCTURED) -> Ran:
    """A real run, and the same command once more."""
    ran = run_on(estate_on(folder, bus, ramps, messages=MESSAGES))
    check_agrees(ran)
    assert run_on(ran).code == 0
    return ran


def check(ran: Ran, found: list[Received]) -> None:
    """Exactly what was promised, each with what was promised in it."""
    check_received(ran, found)
    check_bodies(ran, found)


def check_bodies(ran: Ran, found: list[Received]) -> None:
    """Every header and every byte of a body is as in a rehearsal in binary mode, without claims."""
    plan = ran.estate / "plan.toml"
    text = plan.read_text(encoding="utf-8").replace(STRUCTURED, 'mode = "binary"')
    plan.write_text(re.sub(r"(?m)^claims = .*\n", "", text), encoding="utf-8")
    with rehearsed(ran, "binary").bus() as bus:
        truth = {
            (destination, lane, json.loads(headers)["ce_id"]): (json.loads(headers), bytes(body))
            for destination, lane, headers, body in bus.execute(ROWS)
        }
    for one in found:
        headers, body = truth.pop((one.destination, one.lane, one.headers["ce_id"]))
        # The run is another; the SDK gives an event without a time that of reading it.
        ours = {"ce_runid": headers["ce_runid"], "ce_time": headers.get("ce_time")}
        assert {**one.headers, **ours} == {"ce_time": None, **headers}
        assert one.headers["ce_time"] == headers.get("ce_time", one.headers["ce_time"])
        assert one.body == body
    assert truth == {}
    kinds = {one.headers["content-type"].partition(";")[0] for one in found}
    assert {"application/json", "application/xml"} <= kinds


def rehearsed(ran: Ran, name: str) -> Rehearsed:
    runs = ran.run.parent
    words = ("--runs", runs, "--run-id", name, "--progress", "none")
    code, out = isb_migrate("rehearse", ran.estate / "plan.toml", *words)
    assert code == 0, out
    return Rehearsed(ran.estate, runs / name)


def received(destination: str, lane: str, event: BaseCloudEvent) -> Received:
    """An event of the SDK: attributes as texts, data as the bytes that it was made of."""
    headers = {f"ce_{name}": value for name, value in event.get_attributes().items()}
    headers["content-type"] = headers.pop("ce_datacontenttype")
    if not isinstance(headers["ce_time"], str):
        headers["ce_time"] = rfc3339(headers["ce_time"])
    data = event.get_data()
    if data is None:
        body = b""
    elif isinstance(data, bytes):
        body = data
    else:
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Received(destination, lane, headers, body)


def rows(found: Any) -> Iterator[Received]:
    """Each row, by the binding of Kafka, whose names are the table's."""
    for destination, lane, headers, body in found:
        named = {name: value.encode() for name, value in json.loads(headers).items()}
        message = kafka.KafkaMessage(named, None, bytes(body))
        yield received(destination, lane, kafka.from_kafka(message, FORMAT))


def by_pika(host: rabbitmq.Host, consumed: Callable[..., Any]) -> Iterator[Received]:
    with host.channel() as channel:
        for name in on_rabbitmq.OFFRAMPS:
            for lane in LANES:
                for properties, body in consumed(channel, f"{name}.{lane}"):
                    assert properties.content_type == TYPE
                    named = {"content-type": properties.content_type}
                    message = amqp.AMQPMessage(named, properties.headers, body)
                    one = received(name, lane, amqp.from_amqp(message, FORMAT))
                    assert properties.message_id == one.headers["ce_id"]
                    yield one


def by_nats(subject: str, headers: dict[str, str], body: bytes) -> Received:
    assert headers["Content-Type"] == TYPE
    *_, destination, lane = subject.split(".")
    message = http.HTTPMessage(headers, body)
    return received(destination, lane, http.from_http(message, FORMAT))


def by_confluent(servers: str, prefix: str) -> Iterator[Received]:
    for message in on_kafka.consumed(servers, prefix):
        _, destination, lane = message.topic().split(".")
        headers = dict(message.headers())
        assert headers["content-type"].decode() == TYPE
        event = kafka.from_kafka(kafka.KafkaMessage(headers, None, message.value()), FORMAT)
        one = received(destination, lane, event)
        key = one.headers.get("ce_orderkey")
        assert message.key() == (None if key is None else key.encode())
        yield one


def by_rstream(server: stream_broker.Server, vhost: str, ran: Ran) -> Iterator[Received]:
    offramps = {to["destination"] for entry in ran.manifest for to in entry["deliveries"]}
    streams = {f"metip.{name}.{lane}": (name, lane) for name in offramps for lane in LANES}
    found = asyncio.run(rabbitmq_consumers.consumed(server, vhost, list(streams)))
    for stream, messages in found.items():
        for message in messages:
            type_ = message.properties.content_type.decode()
            assert type_ == TYPE
            one = amqp.AMQPMessage({"content-type": type_}, {}, message.body)
            yield received(*streams[stream], amqp.from_amqp(one, FORMAT))
