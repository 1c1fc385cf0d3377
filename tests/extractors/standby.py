"""A PostgreSQL primary and its hot standby, in a folder of their own, stopped afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import services

CONFIGURATION = """
listen_addresses = ''
fsync = off
max_wal_senders = 4
hot_standby_feedback = off
max_standby_streaming_delay = 0
autovacuum = off
"""


@contextmanager
def standby() -> Iterator[tuple[str, str]]:
    """The URLs of a primary and of a standby that lets none of its queries hold it up."""
    programs = _programs()
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [*as_postgres, str(programs / name), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=folder,
        )

    with ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="isb_standby_")
        stack.callback(shutil.rmtree, folder)
        if as_postgres:
            shutil.chown(folder, "postgres")
        ports = _free_ports()
        run("initdb", "-A", "trust", "-U", "postgres", "-D", f"{folder}/primary", "--no-sync")

        def start(name: str, port: int) -> str:
            with Path(folder, name, "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write(
                    f"{CONFIGURATION}\nport = {port}\nunix_socket_directories = '{folder}'\n"
                )
            data = f"{folder}/{name}"
            run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/{name}.log", "start")
            stack.callback(run, "pg_ctl", "-D", data, "-m", "immediate", "stop")
            return f"postgresql+psycopg://postgres@/postgres?host={folder}&port={port}"

        primary = start("primary", ports[0])
        source = ("-h", folder, "-p", str(ports[0]), "-U", "postgres")
        run("pg_basebackup", *source, "-D", f"{folder}/standby", "-R", "-X", "stream", "-c", "fast")
        yield primary, start("standby", ports[1])


def _programs() -> Path:
    """Where Debian keeps a server's programs; those of the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_basebackup"))
    if not found:
        services.missing("no pg_basebackup; as root on Debian, .ci/services installs PostgreSQL")
    return found[-1].parent


def _free_ports() -> list[int]:
    """Two numbers that name the servers' sockets; they listen on no address."""
    with socket.socket() as one, socket.socket() as other:
        for found in (one, other):
            found.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]
