"""Who may enter a JetStream bus, and what a plan may say of one."""

import base64
import binascii
import ipaddress
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from loaders.jetstream.identity import credentials_answer
from loaders.jetstream.observe import Observer
from loaders.jetstream.options import access, layout
from loaders.jetstream.provision import Provisioner
from loaders.jetstream.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify, UsageError
from migrate.core.flow import BusSpec, OffRampSpec
from tests.loaders import nats_server
from tests.loaders.nats_proxy import proxy
from tests.loaders.nats_server import Server, server
from tests.windows import Sent, publish, window

OFFRAMPS = {"custody": OffRampSpec("custody")}
SECRET = "s3cr3t%40word"  # escaped for the URL
USER, OPERATOR, ACCOUNT = 20 << 3, 14 << 3, 0


def on(url: str, *options: tuple[str, str]) -> BusSpec:
    return BusSpec("metip", "jetstream", url, (("prefix", "t"), *options))


def goes(spec: BusSpec) -> None:
    """Provision, publish and observe."""
    with closing(Provisioner(spec, OFFRAMPS)) as provisioner:
        provisioner.provision()
    with closing(Publisher(spec, OFFRAMPS)) as sender:
        assert all(publish(sender, window([Sent("custody", "a" * 32)])).confirmed)
    with closing(Observer(spec, OFFRAMPS)) as observer:
        assert sum(batch.num_rows for batch in observer.observe({})) == 1


def refused(spec: BusSpec) -> str:
    """All three say no, in words that hold no secret."""
    with pytest.raises(BusRefused) as error:
        Publisher(spec, OFFRAMPS)
    with pytest.raises(BusRefused):
        Provisioner(spec, OFFRAMPS)
    with pytest.raises(CouldNotVerify):
        Observer(spec, OFFRAMPS)
    words = f"{error.value} {error.value.hint}"
    assert "s3cr3t" not in words
    return words


@pytest.mark.service
def test_user_and_password(tmp_path: Path) -> None:
    """They stand in the URL, escaped as there."""
    who = 'authorization { user: isb, password: "s3cr3t@word" }'
    with server(tmp_path / "nats", who) as found:
        at = found.url.removeprefix("nats://")
        goes(on(f"nats://isb:{SECRET}@{at}"))
        assert "Authorization Violation" in refused(on(f"nats://isb:{SECRET}no@{at}"))
        refused(on(found.url))


@pytest.mark.service
def test_a_token(tmp_path: Path) -> None:
    """A name without a password is a token."""
    with server(tmp_path / "nats", 'authorization { token: "s3cr3t@word" }') as found:
        at = found.url.removeprefix("nats://")
        goes(on(f"nats://{SECRET}@{at}"))
        refused(on(f"nats://{SECRET}no@{at}"))


@pytest.mark.service
def test_an_nkey(tmp_path: Path) -> None:
    """A seed in a file; the server knows the public key alone."""
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "isb.nk"
    path.write_text(seed(key, USER) + "\n")
    with server(
        tmp_path / "nats", f"authorization {{ users: [{{ nkey: {public(key, USER)} }}] }}"
    ) as found:
        goes(on(found.url, ("nkey_file", str(path))))
        path.write_text(seed(ed25519.Ed25519PrivateKey.generate(), USER))
        refused(on(found.url, ("nkey_file", str(path))))
        path.write_text(_mistyped(seed(key, USER)))
        with pytest.raises(UsageError, match="no nkey seed"):
            Publisher(on(found.url, ("nkey_file", str(path))), OFFRAMPS)
        with pytest.raises(UsageError, match="cannot be read"):
            Publisher(on(found.url, ("nkey_file", str(tmp_path / "none"))), OFFRAMPS)


def _mistyped(text: str) -> str:
    """With one letter changed, whichever stood there."""
    return text[:20] + ("A" if text[20] != "A" else "B") + text[21:]


@pytest.mark.service
def test_a_credentials_file(tmp_path: Path) -> None:
    """A JWT signed by an account that an operator signed, and the user's seed."""
    operator, account, system, user = (ed25519.Ed25519PrivateKey.generate() for _ in range(4))
    trusted = jwt(
        operator, OPERATOR, public(operator, OPERATOR), {"type": "operator", "version": 2}
    )
    plain = dict.fromkeys(("subs", "data", "payload", "conn", "imports", "exports", "leaf"), -1)
    stored = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
    accounts = {
        public(key, ACCOUNT): jwt(
            operator,
            OPERATOR,
            public(key, ACCOUNT),
            {"limits": {"wildcards": True, **limits}, "type": "account", "version": 2},
        )
        for key, limits in ((account, plain | stored), (system, plain))
    }
    users = jwt(
        account,
        ACCOUNT,
        public(user, USER),
        {"subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2},
    )
    path = tmp_path / "isb.creds"
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{users}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed(user, USER)}\n------END USER NKEY SEED------\n"
    )
    preload = ", ".join(f"{name}: {text}" for name, text in accounts.items())
    config = (
        f"operator: {trusted}\nsystem_account: {public(system, ACCOUNT)}\n"
        f"resolver: MEMORY\nresolver_preload: {{ {preload} }}"
    )
    with server(tmp_path / "nats", config) as found:
        goes(on(found.url, ("credentials_file", str(path))))
        refused(on(found.url))
    path.write_text("nothing of the kind")
    with pytest.raises(UsageError, match="JWT"):
        credentials_answer(str(path), "nonce")


@pytest.mark.service
def test_what_an_account_may_not_is_said_at_once(tmp_path: Path) -> None:
    """A publish that the server forbids is never answered: its error is not overheard."""
    who = """authorization { users: [
      { user: all, password: all },
      { user: isb, password: isb, permissions: { publish: { deny: "t.custody.express" } } } ] }"""
    with server(tmp_path / "nats", who) as found:
        at = found.url.removeprefix("nats://")
        goes(on(f"nats://all:all@{at}"))
        with closing(Publisher(on(f"nats://isb:isb@{at}"), OFFRAMPS)) as sender:
            sender.send(window([Sent("custody", "b" * 32)], lane="express"))
            with pytest.raises(BusRefused, match="Permissions Violation"):
                sender.receipts()


class Certificates:
    """An authority, and what it signed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.ca = self._write("ca", self._signed(self._name, self._key, authority=True))

    def issue(self, name: str, address: str) -> tuple[str, str]:
        """Files of a certificate for an address, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._write(name, self._signed(subject, key, address=address))
        path = self._folder / f"{name}.key"
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return certificate, str(path)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        address: str | None = None,
        authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate) -> str:
        path = self._folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)


@pytest.fixture
def authority(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "ca")


def secured(authority: Certificates, address: str) -> str:
    """The beginning of a server's `tls` block."""
    certificate, key = authority.issue("server", address)
    return f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority.ca}"'


@pytest.mark.service
def test_tls_is_verified(tmp_path: Path, authority: Certificates) -> None:
    """By the authority that the plan names, and by the host's name; client certificates too."""
    tls = secured(authority, "127.0.0.1")
    with server(tmp_path / "nats", tls + ", verify: true }", scheme="tls") as found:
        certificate, key = authority.issue("client", "127.0.0.1")
        ca = ("ca_file", authority.ca)
        own = ("cert_file", certificate), ("key_file", key)
        goes(on(found.url, ca, *own))
        assert "certificate not accepted" in refused(on(found.url, *own))
        refused(on(found.url, ca))
        with pytest.raises(UsageError, match="TLS file"):
            Publisher(on(found.url, ("ca_file", key)), OFFRAMPS)


@pytest.mark.service
def test_a_certificate_of_another_host_is_not_accepted(
    tmp_path: Path, authority: Certificates
) -> None:
    """Whoever signed it."""
    tls = secured(authority, "127.0.0.2")
    with server(tmp_path / "nats", tls + " }", scheme="tls") as found:
        assert "certificate not accepted" in refused(on(found.url, ("ca_file", authority.ca)))


@pytest.mark.service
def test_tls_that_the_plan_asks_for_is_never_left_out(tmp_path: Path) -> None:
    """A server without TLS gets no credentials."""
    with server(tmp_path / "nats") as found:
        at = found.url.removeprefix("nats://")
        refused(on(f"tls://isb:{SECRET}@{at}"))


@pytest.mark.service
def test_the_next_server_is_tried(tmp_path: Path) -> None:
    """One of them is down."""
    with server(tmp_path / "nats") as found, proxy(1) as down:
        goes(on(f"{down.url},{found.url}"))


@pytest.mark.service
def test_what_is_no_nats_server_is_said_to_be_none() -> None:
    """A redirected port, an HTTP server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in range(3):
                listener.accept()[0].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        Thread(target=answer, daemon=True).start()
        words = refused(on(f"nats://127.0.0.1:{listener.getsockname()[1]}"))
    assert "no NATS server" in words


@pytest.mark.service
def test_a_server_without_jetstream(tmp_path: Path) -> None:
    """Nobody answers its API: not a timeout, a word."""
    folder = tmp_path / "nats"
    folder.mkdir()
    found = Server(folder)
    (folder / "nats.conf").write_text(f'listen: "127.0.0.1:{found.port}"\n')
    found.start()
    try:
        with pytest.raises(BusRefused, match="JetStream is not on"):
            Publisher(on(found.url), OFFRAMPS)
    finally:
        found.kill()


BAD_URLS = ["nats://", "http://h", "nats://h:port", "nats://h:70000", "nats://h:0", "h:4222", ""]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_is_none(url: str) -> None:
    """What it should be is said."""
    with pytest.raises(UsageError) as error:
        access(BusSpec("metip", "jetstream", url))
    assert "nats://host:4222" in (error.value.hint or "")


BAD_OPTIONS = [
    ("prefx", "a"),
    ("prefix", "a..b"),
    ("prefix", "$JS"),
    ("prefix", "a.>"),
    ("replicas", "6"),
    ("replicas", "two"),
    ("duplicates_s", "0.01"),
    ("duplicates_s", "-1"),
    ("patience_s", "0"),
    ("domain", "a.b"),
    ("inbox", "in.*"),
    ("tls_first", "yes"),
    ("cert_file", "alone.pem"),
]


@pytest.mark.parametrize(("name", "value"), BAD_OPTIONS)
def test_an_option_that_is_not_usable(name: str, value: str) -> None:
    """It is named."""
    spec = BusSpec("metip", "jetstream", "nats://h", ((name, value),))
    with pytest.raises(UsageError, match=name):
        layout(spec, OFFRAMPS)
        access(spec)


BAD_OFFRAMPS = [
    OffRampSpec("a.b"),
    OffRampSpec("a/b"),
    OffRampSpec("x", options=(("name", "a b"),)),
    OffRampSpec("x", options=(("max_msgs", "many"),)),
    OffRampSpec("x", options=(("max_bytes", "0"),)),
    OffRampSpec("x", options=(("queue", "stream"),)),
    OffRampSpec("x", observe="tap"),
    OffRampSpec("x", observe="counts"),
]


@pytest.mark.parametrize("ramp", BAD_OFFRAMPS)
def test_an_off_ramp_that_cannot_be_on_jetstream(ramp: OffRampSpec) -> None:
    """It is named, and how to mend it."""
    with pytest.raises(UsageError, match=ramp.name) as error:
        layout(BusSpec("metip", "jetstream", "nats://h"), {ramp.name: ramp})
    assert error.value.hint


def test_two_off_ramps_of_one_name() -> None:
    """An off-ramp whose name NATS cannot bear has another there; not one that is taken."""
    ramps = {"a.b": OffRampSpec("a.b", options=(("name", "a-b"),)), "a-b": OffRampSpec("a-b")}
    bus = BusSpec("metip", "jetstream", "nats://h")
    with pytest.raises(UsageError, match="called the same"):
        layout(bus, ramps)
    assert layout(bus, {"a.b": ramps["a.b"]}).ramps["a.b"].subject == "metip.a-b"


@pytest.fixture
def bus() -> Iterator[BusSpec]:
    with nats_server.bus() as spec:
        yield spec


@pytest.mark.service
def test_a_stream_that_differs_is_shown_and_refused(bus: BusSpec) -> None:
    """Every difference is named; nothing is altered."""
    prefix = dict(bus.options)["prefix"]
    config = {"name": f"{prefix}-custody", "subjects": [f"{prefix}.custody.*"], "max_msgs": 7}
    other = {**config, "storage": "memory", "retention": "limits", "discard": "old"}
    with nats_server.api(bus) as api:
        api.ask(f"STREAM.CREATE.{config['name']}", other)
    with closing(Provisioner(bus, OFFRAMPS)) as provisioner:
        (wanted,), (present,) = provisioner.wanted(), provisioner.present()
        differing = {
            name for name in wanted.settings if wanted.settings[name] != present.settings[name]
        }
        assert differing == {"storage", "discard", "max_msgs"}
        with pytest.raises(BusRefused, match="discard is old, not new"):
            provisioner.provision()
        assert list(provisioner.present()) == [present]


@pytest.mark.service
def test_a_foreign_stream_that_takes_our_subjects_is_refused(bus: BusSpec) -> None:
    """Messages would lie where nobody looks for them."""
    prefix = dict(bus.options)["prefix"]
    with nats_server.api(bus) as api:
        words = {"name": f"{prefix}all", "subjects": [f"{prefix}.custody.bulk"]}
        api.ask(f"STREAM.CREATE.{prefix}all", {**words, "retention": "limits", "storage": "file"})
    with closing(Provisioner(bus, OFFRAMPS)) as provisioner:
        assert [piece.name for piece in provisioner.present()] == [f"{prefix}all"]
        with pytest.raises(BusRefused, match=f"{prefix}all takes"):
            provisioner.provision()


def public(key: ed25519.Ed25519PrivateKey, kind: int) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return encoded(bytes([kind]) + raw)


def seed(key: ed25519.Ed25519PrivateKey, kind: int) -> str:
    raw = key.private_bytes(
        serialization.Encoding.Raw,
        serialization.PrivateFormat.Raw,
        serialization.NoEncryption(),
    )
    return encoded(bytes([18 << 3 | kind >> 5, (kind & 31) << 3]) + raw)


def encoded(raw: bytes) -> str:
    whole = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(whole).decode().rstrip("=")


def jwt(signer: ed25519.Ed25519PrivateKey, kind: int, subject: str, nats: dict[str, object]) -> str:
    """As `nsc` writes them."""
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    body = {
        "jti": "x",
        "iat": 1,
        "iss": public(signer, kind),
        "name": "t",
        "sub": subject,
        "nats": nats,
    }
    text = ".".join(urlsafe(json.dumps(part).encode()) for part in (head, body))
    return f"{text}.{urlsafe(signer.sign(text.encode()))}"


def urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
