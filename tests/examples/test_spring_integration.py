"""The example of Spring Integration's stores is built, checked and rehearsed as its README says."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from migrate.cli import main
from tests import services

EXAMPLE = Path(__file__).parents[2] / "examples" / "spring-integration"
JAVA_KEYS = {  # UUID.nameUUIDFromBytes(name.getBytes("UTF-8")), by OpenJDK 17.0.15
    "custody": "90d6709d-57df-3a7a-acc3-39c9d45e7a4f",
    "store:custody": "ab2182f1-714f-38b9-84a4-cbdb7588af09",
    "Näme": "743d8ca0-8f5c-3877-9fc8-372c1bcf97d1",
}


def run(script: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / script), *words],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    return done.stdout


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    run("prepare.py", str(tmp_path / "estate"))
    return tmp_path / "estate"


def rehearsed(plan: Path) -> dict[str, object]:
    runs = plan.parent.parent / "runs"
    words = ["--runs", str(runs), "--run-id", "r", "--progress", "none"]
    assert main(["rehearse", str(plan), *words]) == 0
    summary: dict[str, object] = json.loads((runs / "r" / "summary.json").read_text())
    return summary


def test_the_example_agrees_and_one_body_that_is_no_java_stream_waits(estate: Path) -> None:
    """Java objects archived, JSON replayed, in the product's own order and by its own key."""
    assert main(["check", str(estate / "plan.toml")]) == 0
    summary = rehearsed(estate / "plan.toml")
    flows = summary["flows"]
    assert summary["verdict"] == "agrees"
    assert flows["channels"]["account"]["quarantined"] == 1  # type: ignore[index]
    assert flows["channels"]["account"]["archived"] == 59  # type: ignore[index]
    assert flows["dispatch"]["account"]["replayed"] == 90  # type: ignore[index]
    kept = (estate.parent / "runs" / "r" / "quarantine").rglob("*.parquet")
    rows = [row for path in kept for row in pq.read_table(path).to_pylist()]
    assert [(row["reason"], row["body"]) for row in rows] == [
        ("payload.malformed", b"not a Java stream")
    ]


def test_the_tables_are_recognised_under_whatever_prefix(estate: Path, tmp_path: Path) -> None:
    """Both applications, the message store's groups as a reference table, the rest out of scope."""
    plan = tmp_path / "proposal" / "plan.toml"
    words = ["--out", str(plan), "--progress", "none"]
    assert main(["init", str(estate / "store.db"), *words]) == 0
    raw = tomllib.loads(plan.read_text(encoding="utf-8"))
    by_table = {flow["from"]: flow for flow in raw["flow"].values()}
    assert set(by_table) == {"INT_CHANNEL_MESSAGE", "INT_MESSAGE", "DISPATCH_CHANNEL_MESSAGE"}
    example = tomllib.loads((EXAMPLE / "plan.toml").read_text(encoding="utf-8"))
    for mine in example["flow"].values():
        theirs = by_table[mine["from"]]
        for name in ("key", "order_by", "headers", "columns", "time"):
            assert theirs[name] == mine[name], name
        assert theirs["payload"]["format"] == mine["payload"]["format"]
    assert set(raw["store"]["legacy"]["out_of_scope"]) == {
        *("INT_GROUP_TO_MESSAGE", "INT_MESSAGE_GROUP", "INT_METADATA_STORE", "INT_LOCK"),
    }
    assert set(raw["tables"]) == {"int_groups"}
    assert rehearsed(plan)["verdict"] == "agrees"


@pytest.mark.service
def test_the_tables_are_recognised_in_lower_case_on_postgresql(tmp_path: Path) -> None:
    """There names without quotes are in small letters; the product's own script has none."""
    import sqlalchemy as sa

    with services.database(services.postgresql()) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        ddl = (EXAMPLE / "store.sql").read_text(encoding="utf-8").replace("BLOB", "BYTEA")
        with engine.begin() as connection:
            connection.execute(sa.text(ddl))
            connection.execute(
                sa.text(
                    "INSERT INTO int_channel_message VALUES ('m1', 'g1', 1522540800000, NULL, 1,"
                    " '\\xaced00057400016b', 'DEFAULT')"
                )
            )
        plan = tmp_path / "proposal" / "plan.toml"
        words = ["--out", str(plan), "--allow-writes", "--progress", "none"]
        assert main(["init", url, *words]) == 0
        flows = tomllib.loads(plan.read_text(encoding="utf-8"))["flow"].values()
        assert {flow["from"] for flow in flows} == {
            *("int_channel_message", "int_message", "dispatch_channel_message"),
        }


def test_names_of_channels_become_the_keys_that_java_gives_them(tmp_path: Path) -> None:
    """MD5 of the name's UTF-8 with the bits of version 3 and no namespace; a UUID is kept."""
    known = "4be65d7c-0000-3000-8000-000000000001"
    lines = run("channels.py", *JAVA_KEYS, known).splitlines()
    assert lines[0] == "group_key,channel"
    assert lines[1:] == [f"{key},{name}" for name, key in JAVA_KEYS.items()] + [f"{known},{known}"]


def test_java_reads_the_examples_streams_itself(tmp_path: Path) -> None:
    """What prepare.py composes is what ObjectInputStream takes for the same object."""
    if not (shutil.which("javac") and shutil.which("java")):
        reason = "no JDK: apt-get install openjdk-17-jdk-headless"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    (tmp_path / "GenericMessage.java").write_text(GENERIC_MESSAGE)
    (tmp_path / "Read.java").write_text(READ)
    sources = [str(tmp_path / name) for name in ("GenericMessage.java", "Read.java")]
    subprocess.run(["javac", "-d", str(tmp_path), *sources], check=True)
    code = "from prepare import java; print(java('a text of any length').hex())"
    stream = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=EXAMPLE
    ).stdout.strip()
    words = ["java", "-cp", str(tmp_path), "Read", stream]
    read = subprocess.run(words, check=True, capture_output=True, text=True)
    assert read.stdout.strip() == "a text of any length {priority=4}"


GENERIC_MESSAGE = """
package org.springframework.messaging.support;
public class GenericMessage<T> implements java.io.Serializable {
    private static final long serialVersionUID = 4268801052358035098L;
    private T payload;
    private java.util.Map<String, Object> headers;
    public String toString() { return payload + " " + headers; }
}
"""
READ = """
public class Read {
    public static void main(String[] words) throws Exception {
        byte[] stream = java.util.HexFormat.of().parseHex(words[0]);
        System.out.println(new java.io.ObjectInputStream(
            new java.io.ByteArrayInputStream(stream)).readObject());
    }
}
"""
