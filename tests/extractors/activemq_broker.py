"""A real Apache ActiveMQ and the vendor's own client, from Debian's packages, for the tests.

Every broker is a process of its own on free ports, with its configuration and data in a temporary
folder; it is killed at the end whatever happens. `ISB_TEST_ACTIVEMQ` names the folder of the
product's jars where it is not Debian's.
"""

import atexit
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any

import sqlalchemy as sa

from tests import services

HOME = Path(os.environ.get("ISB_TEST_ACTIVEMQ", "/usr/share/activemq/lib"))
POSTGRESQL_JDBC = Path("/usr/share/java/postgresql.jar")
JAXB = Path("/usr/share/java/jaxb-api.jar")
"""What the broker writes transaction ids with; Java left it out with version 11."""
SOURCE = Path(__file__).parent / "java" / "JmsClient.java"
CLIENT_CLASS = SOURCE.stem

_CONFIGURATION = """<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans
  http://www.springframework.org/schema/beans/spring-beans-2.0.xsd
  http://activemq.apache.org/schema/core
  http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="isb" useJmx="false"
      useShutdownHook="false" dataDirectory="{folder}/data"{attributes}>
    <destinationPolicy><policyMap><policyEntries>
      {policies}
    </policyEntries></policyMap></destinationPolicy>
    <persistenceAdapter>{persistence}</persistenceAdapter>
    <plugins>{plugins}</plugins>
    {tls}
    <systemUsage><systemUsage>
      <memoryUsage><memoryUsage limit="256 mb"/></memoryUsage>
      <storeUsage><storeUsage limit="1 gb"/></storeUsage>
      <tempUsage><tempUsage limit="100 mb"/></tempUsage>
    </systemUsage></systemUsage>
    <transportConnectors>
      <transportConnector name="openwire" uri="tcp://127.0.0.1:0"/>
      {connectors}
    </transportConnectors>
  </broker>
  {beans}
</beans>
"""

_LOGGING = """
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%p %m%n
"""

KAHADB = '<kahaDB directory="{folder}/kahadb"/>'

_JDBC_ADAPTER = '<jdbcPersistenceAdapter dataSource="#store" useLock="false"/>'
_DATA_SOURCE = """
  <bean id="store" class="org.apache.commons.dbcp.BasicDataSource" destroy-method="close">
    <property name="driverClassName" value="org.postgresql.Driver"/>
    <property name="url" value="{url}"/>
    <property name="username" value="{user}"/>
    <property name="password" value="{password}"/>
    <property name="poolPreparedStatements" value="true"/>
  </bean>
"""


@dataclass(frozen=True)
class Broker:
    """A running broker."""

    folder: Path
    url: str  # of the plain OpenWire connector
    urls: tuple[str, ...]  # of all connectors, in the order in which they are configured
    classes: Path
    account: tuple[str, str] | None = None  # as whom the client comes

    def client(self, *commands: str, given: str = "") -> list[dict[str, Any]]:
        """The vendor's client with some commands (`browse QUEUE`); what it said, a line each."""
        words = ["-cp", f"{class_path()}:{self.classes}", CLIENT_CLASS, self.url, *commands]
        command = [java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *words]
        user, password = self.account or ("", "")
        known = {**os.environ, "JMS_USER": user, "JMS_PASSWORD": password}
        done = subprocess.run(
            command, capture_output=True, text=True, input=given, timeout=60, env=known
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def java() -> str:
    """The java of this machine, or the test is skipped."""
    return _needed("java", "default-jdk-headless")


def class_path() -> str:
    """The product's jars, or the test is skipped."""
    if not (HOME / "activemq-client.jar").exists():
        services.missing(f"no Apache ActiveMQ in {HOME}; {_HOW.format('activemq')}")
    return ":".join([f"{HOME}/*", f"{HOME}/optional/*", str(POSTGRESQL_JDBC), str(JAXB)])


@cache
def client_classes() -> Path:
    """The client, compiled once a test session."""
    folder = Path(mkdtemp(prefix="isb-jms-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    compiler = _needed("javac", "default-jdk-headless")
    command = [compiler, "-nowarn", "-cp", class_path(), "-d", str(folder), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def kahadb(folder: Path, **options: str) -> Iterator[Broker]:
    """With the store that the product comes with, in `folder/kahadb`."""
    with running(folder, KAHADB.format(folder=folder), **options) as broker:
        yield broker


@contextmanager
def jdbc(folder: Path, url: str, **options: str) -> Iterator[Broker]:
    """With JDBC persistence in the PostgreSQL database behind an SQLAlchemy URL."""
    if not POSTGRESQL_JDBC.exists():
        services.missing(f"no {POSTGRESQL_JDBC}; {_HOW.format('libpostgresql-jdbc-java')}")
    with (
        _account(url) as account,
        running(folder, _JDBC_ADAPTER, beans=_DATA_SOURCE.format(**account), **options) as broker,
    ):
        yield broker


@contextmanager
def running(
    folder: Path,
    persistence: str,
    *,
    beans: str = "",
    connectors: str = "",
    plugins: str = "<statisticsBrokerPlugin/>",
    policies: str = '<policyEntry queue=">"/>',
    tls: str = "",
    attributes: str = "",
) -> Iterator[Broker]:
    """A broker that answers on its connectors; killed at the end."""
    classes = client_classes()
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "activemq.xml"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            persistence=persistence,
            beans=beans,
            connectors=connectors,
            plugins=plugins,
            policies=policies,
            tls=tls,
            attributes=attributes,
        )
    )
    (folder / "log4j.properties").write_text(_LOGGING)
    command = [
        *(java(), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("-cp", f"{folder}:{class_path()}"),
        "org.apache.activemq.console.command.ShellCommand",
        *("start", f"xbean:file:{configuration}"),
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=services.end_with_us,
    )
    try:
        urls = _started(process)
        Thread(target=_kept, args=(process, folder / "broker.log"), daemon=True).start()
        yield Broker(folder, urls[0], urls, classes)
    finally:
        process.kill()
        process.wait()


def _started(process: "subprocess.Popen[bytes]") -> tuple[str, ...]:
    """Read the broker's own words until it says that it has started; its connectors' URLs."""
    assert process.stdout is not None
    words, urls = [], []
    for line in process.stdout:
        words.append(line.decode(errors="replace"))
        if found := re.search(r"Listening for connections at: ([^\s?]+)", words[-1]):
            urls.append(found[1])
        if re.search(r"Apache ActiveMQ .* started", words[-1]):
            return tuple(urls)
    raise AssertionError(f"the broker did not start: {''.join(words)}")


def _kept(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """What it says later, so that it never waits for a reader."""
    assert process.stdout is not None
    with log.open("wb") as out:
        for line in process.stdout:
            out.write(line)
            out.flush()


@contextmanager
def _account(url: str) -> Iterator[dict[str, str]]:
    """An account of the broker's own, since it comes over TCP and not through the socket."""
    found = sa.make_url(url)
    name, password = f"isb_test_{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        connection.exec_driver_sql(f"GRANT ALL ON SCHEMA public TO {name}")
    try:
        where = f"{found.host or '127.0.0.1'}:{found.port or 5432}/{found.database}"
        yield {"url": f"jdbc:postgresql://{where}", "user": name, "password": password}
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")


_HOW = "as root on Debian, .ci/services installs it (package {})"


def _needed(command: str, package: str) -> str:
    found = shutil.which(command)
    if found is None:
        services.missing(f"no {command}; {_HOW.format(package)}")
    assert found is not None
    return found
