"""Coming to RabbitMQ's streams: TLS, accounts, virtual hosts, heartbeats, and clear words where a
door is closed."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import create_server
from threading import Event

import pytest

from loaders.rabbitmq_stream.observe import Observer
from loaders.rabbitmq_stream.provision import Provisioner
from loaders.rabbitmq_stream.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from tests.proxy import Proxy
from tests.rabbitmq import LOGIN, free_ports
from tests.spine.buses import check_agrees, check_received, estate_on, run_on
from tests.spine.rabbitmq_consumers import received_of_streams
from tests.stream_broker import Server
from tests.windows import Sent, publish, window

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("rabbitmq")]

OFFRAMPS = {"nfd": OffRampSpec("nfd")}
BEAT = 8
"""Bytes of a heartbeat."""
ACCOUNT, PASSWORD = "migration", "not-for-logs"


class Secured(Server):
    """A node that listens with TLS besides, on `tls_port`, by a certificate that signs itself; its
    heartbeats are a second apart."""

    def __init__(self, folder: Path) -> None:
        words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run([*words.split(), *names], cwd=folder, check=True, capture_output=True)
        (self.tls_port,) = free_ports(1)
        self.ca_file = folder / "cert.pem"
        super().__init__(
            f"stream.listeners.ssl.1 = 127.0.0.1:{self.tls_port}\nstream.heartbeat = 1\n"
            f"ssl_options.cacertfile = {folder}/cert.pem\n"
            f"ssl_options.certfile = {folder}/cert.pem\nssl_options.keyfile = {folder}/key.pem\n"
        )

    def secure(self, vhost: str) -> str:
        """The URL of a virtual host with TLS."""
        url = self.url(vhost, self.tls_port)
        return url.replace("rabbitmq-stream:", "rabbitmq-stream+tls:")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    found = Secured(tmp_path_factory.mktemp("tls"))
    yield found
    found.node.end()


@pytest.fixture
def vhost(server: Secured) -> Iterator[str]:
    """The streams of an off-ramp, empty."""
    with server.vhost() as name:
        Provisioner(server.spec(name), OFFRAMPS).provision()
        yield name


def bus(url: str, **options: object) -> BusSpec:
    given = {"patience_s": 5, **options}
    return BusSpec("metip", "rabbitmq-stream", url, tuple((n, str(v)) for n, v in given.items()))


def published(spec: BusSpec, body: bytes = b"x", count: int = 1) -> bool:
    sent = [Sent("nfd", f"{number:032x}", {}, body) for number in range(count)]
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        return all(publish(publisher, window(sent)).confirmed)


def bodies(spec: BusSpec) -> list[bytes]:
    found = Observer(spec, OFFRAMPS).observe({})
    return [body for batch in found for body in batch.column("body").to_pylist()]


def assert_refused(spec: BusSpec, *words: str) -> None:
    """Provisioning, publishing and observing all say so, with a remedy, and tell no password."""
    for error, attempt in (
        (BusRefused, lambda: Provisioner(spec, OFFRAMPS).provision()),
        (BusRefused, lambda: published(spec)),
        (CouldNotVerify, lambda: list(Observer(spec, OFFRAMPS).observe({}))),
    ):
        with pytest.raises(error) as closed:
            attempt()
        told = f"{closed.value} | {closed.value.hint}"
        assert [each for each in words if each not in told] == []
        assert PASSWORD not in told


def test_tls(server: Secured, vhost: str) -> None:
    """Large bodies, both ways."""
    spec = bus(server.secure(vhost), ca_file=server.ca_file)
    body = bytes(range(256)) * 4_000
    assert published(spec, body, 8)
    assert bodies(spec) == [body] * 8


def test_a_whole_run_with_tls(
    server: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The witness comes by TLS, too."""
    with server.vhost() as name:
        monkeypatch.setenv("METIP_URL", server.secure(name))
        options = f'ca_file = "{server.ca_file}"'
        table = '[bus.metip]\nkind = "rabbitmq-stream"\nurl = "${METIP_URL}"\n'
        ran = run_on(estate_on(tmp_path, f"{table}options = {{ {options} }}", messages=300))
        check_agrees(ran)
        check_received(ran, list(received_of_streams(server, name)))


def test_a_certificate_that_nobody_vouches_for(server: Secured, vhost: str) -> None:
    spec = bus(server.secure(vhost))
    assert_refused(spec, "certificate that cannot be trusted", "ca_file")


@pytest.mark.parametrize("tls", [True, False])
def test_tls_where_there_is_none_and_none_where_there_is(
    server: Secured, vhost: str, tls: bool
) -> None:
    """Scheme and port are named."""
    if tls:
        url = server.secure(vhost).replace(str(server.tls_port), str(server.port))
        assert_refused(bus(url, ca_file=server.ca_file), "5551")
    else:
        assert_refused(bus(server.url(vhost, server.tls_port)), "5551")


def test_a_port_of_something_else(server: Secured, vhost: str) -> None:
    """AMQP 0-9-1, by mistake."""
    assert_refused(bus(server.url(vhost, server.node.port)), "no stream listener", "5552")


@pytest.mark.parametrize("user", [LOGIN, "nobody"])
def test_a_wrong_login(server: Secured, vhost: str, user: str) -> None:
    url = server.url(vhost).replace(f"{LOGIN}:{LOGIN}@", f"{user}:{PASSWORD}@")
    assert_refused(bus(url), "user or password are not accepted", "in the url of the bus")


def test_a_virtual_host_that_is_not_there(server: Secured) -> None:
    assert_refused(bus(server.url("nowhere")), "virtual host cannot be entered", "end of the url")


def test_an_account_without_rights(server: Secured, vhost: str) -> None:
    """None in the virtual host; then none on anything in it."""
    url = server.url(vhost).replace(f"{LOGIN}:{LOGIN}@", f"{ACCOUNT}:{PASSWORD}@")
    server.ask("PUT", f"/api/users/{ACCOUNT}", {"password": PASSWORD, "tags": ""})
    try:
        assert_refused(bus(url), "virtual host cannot be entered", "any rights in it")
        nothing = {"configure": "^$", "write": "^$", "read": "^$"}
        server.ask("PUT", f"/api/permissions/{vhost}/{ACCOUNT}", nothing)
        assert_refused(bus(url), "may not do this", "configure, write and read")
    finally:
        server.ask("DELETE", f"/api/users/{ACCOUNT}")


def test_nobody_there() -> None:
    """Refused at once; a server that takes the connection and says nothing, in its time."""
    (free,) = free_ports(1)
    assert_refused(bus(f"rabbitmq-stream://127.0.0.1:{free}"), "nobody answers")
    with create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert_refused(bus(f"rabbitmq-stream://127.0.0.1:{port}", patience_s=1), "keeps silent")


def test_heartbeats_keep_an_idle_writer(server: Secured, vhost: str) -> None:
    """A server that hears nothing for two seconds closes the connection: ten beats go out, and the
    same connection takes the next window."""
    proxy, beaten = Proxy(server.port), Event()
    spec = bus(server.url(vhost, proxy.port))
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        assert all(publish(publisher, window([Sent("nfd", "a")])).confirmed)
        before = publisher._link._connection
        proxy.call_after(10 * BEAT, beaten.set)
        assert beaten.wait(60)
        assert all(publish(publisher, window([Sent("nfd", "b")])).confirmed)
        assert publisher._link._connection is before
    proxy.close()
    assert len(bodies(server.spec(vhost))) == 2


def test_a_server_that_falls_silent_is_left(server: Secured, vhost: str) -> None:
    """Nothing comes down any more: the writer connects anew, and nothing lands twice."""
    proxy = Proxy(server.port)
    spec = bus(server.url(vhost, proxy.port), patience_s=2)
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        assert all(publish(publisher, window([Sent("nfd", "a")])).confirmed)
        proxy.mute()
        assert all(publish(publisher, window([Sent("nfd", "b")])).confirmed)
    proxy.close()
    assert len(bodies(server.spec(vhost))) == 2


def test_what_limits_a_stream_is_asked_of_the_management_api(server: Secured, vhost: str) -> None:
    """A policy that lets a stream drop something is found, and refused before anything is
    published."""
    spec = server.spec(vhost, management=server.node.management)
    Provisioner(spec, OFFRAMPS).provision()
    limit = {"pattern": "^metip", "definition": {"max-length-bytes": 1_000_000}}
    server.ask("PUT", f"/api/policies/{vhost}/short", {**limit, "apply-to": "queues"})
    with pytest.raises(BusRefused, match="is limited by max-length-bytes 1000000"):
        Provisioner(spec, OFFRAMPS).provision()


def test_a_management_api_that_does_not_say(server: Secured, vhost: str) -> None:
    """Nobody there, or another page."""
    (free,) = free_ports(1)
    for url in (f"http://127.0.0.1:{free}", f"{server.node.management}/elsewhere"):
        with pytest.raises(BusRefused, match="does not say what limits") as refused:
            Provisioner(server.spec(vhost, management=url), OFFRAMPS).provision()
        assert "Without options.management" in str(refused.value.hint)


def test_an_operators_policy_and_a_limit_that_the_plan_wants(server: Secured, vhost: str) -> None:
    """An operator policy is found as well; what the plan itself says is no finding."""
    spec = server.spec(vhost, management=server.node.management)
    limit = {"pattern": "^metip", "definition": {"max-length-bytes": 2_000_000}}
    path = f"/api/operator-policies/{vhost}/short"
    server.ask("PUT", path, {**limit, "apply-to": "queues"})
    with pytest.raises(BusRefused, match="is limited by max-length-bytes 2000000"):
        Provisioner(spec, OFFRAMPS).provision()
    server.ask("DELETE", path)
    other = {"new": OffRampSpec("new", options=(("max_length_bytes", "3000000"),))}
    Provisioner(spec, other).provision()
    limits = [piece.settings["limits"] for piece in Provisioner(spec, other).present()]
    assert limits == ["max-length-bytes 3000000"] * 3
