"""A real RabbitMQ with its stream and management plugins, from Debian's package, for the tests.

A node of its own on free ports, whose data and plugins are apart from those of a server that the
machine may run. It can be killed and started again on the same data. What wants an untouched node
gets one of its own; everybody else shares one, in a virtual host of their own.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from migrate.core.flow import BusSpec
from tests import services
from tests.rabbitmq import LOGIN, SERVER

FRAME_MAX = 16 * 1024 * 1024


class Server:
    """A node; `kill` is SIGKILL, and `start` goes on with what the disk holds."""

    def __init__(self, settings: str = "") -> None:
        if not SERVER.exists():
            services.missing(f"no {SERVER}; as root on Debian, .ci/services installs RabbitMQ")
        self._folder = Path(mkdtemp(prefix="isb-streams-"))
        amqp, self.port, self.tls_port, web, self._distribution = _free_ports(5)
        self.amqp = amqp
        self.ca_file = self._folder / "certificate.pem"
        _certify(self.ca_file, self._folder / "key.pem")
        self.management = f"http://127.0.0.1:{web}"
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{amqp}\n"
            f"stream.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"stream.listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n"
            f"ssl_options.cacertfile = {self.ca_file}\n"
            f"ssl_options.certfile = {self.ca_file}\n"
            f"ssl_options.keyfile = {self._folder / 'key.pem'}\n"
            f"stream.frame_max = {FRAME_MAX}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {web}\n{settings}"
        )
        (self._folder / "plugins").write_text("[rabbitmq_management, rabbitmq_stream].\n")
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)
        self.start()

    def start(self) -> None:
        """Start, and wait until it is up."""
        self._process = subprocess.Popen(
            [str(SERVER)],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=services.end_with_us,
        )
        assert self._process.stdout is not None
        words = []
        for line in self._process.stdout:
            words.append(line)
            if b"Server startup complete" in line:
                Thread(target=self._process.stdout.read, daemon=True).start()
                return
        raise AssertionError(b"".join(words[-20:]).decode(errors="replace"))

    def kill(self) -> None:
        """SIGKILL to the node and all that belongs to it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Kill it and forget its data."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request to the management API; what it answers."""
        login = b64encode(f"{LOGIN}:{LOGIN}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.management}{path}", data=data, headers=headers, method=method)
        with urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def control(self, *words: str) -> None:
        """rabbitmqctl."""
        tool = SERVER.with_name("rabbitmqctl")
        subprocess.run(
            [str(tool), *words], env=self._environment(), check=True, capture_output=True
        )

    def url(self, vhost: str = "/", port: int | None = None) -> str:
        """Of a virtual host's streams."""
        place = f"127.0.0.1:{port or self.port}/{quote(vhost, safe='')}"
        return f"rabbitmq-stream://{LOGIN}:{LOGIN}@{place}"

    def spec(self, vhost: str = "/", port: int | None = None, **options: object) -> BusSpec:
        """A bus there."""
        given = {"patience_s": 20, **options}
        pairs = tuple((name, str(value)) for name, value in given.items())
        return BusSpec("metip", "rabbitmq-stream", self.url(vhost, port), pairs)

    @contextmanager
    def vhost(self) -> Iterator[str]:
        """An empty virtual host, removed afterwards with all that is in it."""
        name = f"isb-{uuid.uuid4().hex[:12]}"
        self.ask("PUT", f"/api/vhosts/{name}", {})
        try:
            yield name
        finally:
            self.ask("DELETE", f"/api/vhosts/{name}")

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            **os.environ,
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"isb{self.amqp}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }


@cache
def shared() -> Server:
    """Started once a test session."""
    return Server()


def _certify(certificate: Path, key: Path) -> None:
    """A certificate of its own for 127.0.0.1, good for a day."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "isb-migrate tests")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    found = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(found.public_bytes(Encoding.PEM))
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(secret.private_bytes(*plain))


def _free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports
