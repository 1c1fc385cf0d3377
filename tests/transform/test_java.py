"""Java-serialised bodies: the class name as Java wrote it, and never more than that.

`java/Streams.java` writes the streams; `java/streams.tsv` are those that OpenJDK 17.0.15 wrote with
it, two long ones left out.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload import payload_reader
from migrate.transform.payload.java_body import MAGIC
from migrate.transform.payload.port import ABSENT, NULL, TEXT, Body, Refused

HERE = Path(__file__).parent / "java"
READER = payload_reader(PayloadSpec("java", (FieldSpec("class_name", "class"),)))
NOTHING = {"(null)": (None, NULL), "(absent)": (None, ABSENT)}


def pairs(text: str) -> list[tuple[str, bytes]]:
    lines = (line.split("\t") for line in text.splitlines())
    return [(name, bytes.fromhex(stream)) for name, stream in lines]


KEPT = pairs((HERE / "streams.tsv").read_text(encoding="utf-8"))


def read(data: bytes) -> tuple[object, str]:
    values, kinds = READER.read(Body(data))
    return values[0], kinds[0]


@pytest.mark.parametrize(("name", "stream"), KEPT, ids=[name for name, _ in KEPT])
def test_the_class_name_is_read_from_what_java_wrote(name: str, stream: bytes) -> None:
    """Objects, arrays, enums, texts, proxies; behind primitive values and resets; none at all."""
    assert read(stream) == NOTHING.get(name, (name, TEXT))


def test_a_jdk_at_hand_writes_what_is_read(tmp_path: Path) -> None:
    """The kept streams are what Java still writes, and the long ones are read too."""
    if not (shutil.which("javac") and shutil.which("java")):
        reason = "no JDK: apt-get install openjdk-17-jdk-headless"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    compiled = ["javac", "-encoding", "UTF-8", "-d", str(tmp_path), str(HERE / "Streams.java")]
    subprocess.run(compiled, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    written = subprocess.run(
        ["java", "-Dstdout.encoding=UTF-8", "-cp", str(tmp_path), "Streams"],
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    streams = pairs(written.stdout.decode())
    assert [name for name, _ in streams if name in dict(KEPT)] and len(streams) > len(KEPT)
    for name, stream in streams:
        assert read(stream) == NOTHING.get(name, (name, TEXT))


@settings(deadline=None)
@given(st.sampled_from(KEPT), st.data())
def test_a_stream_cut_within_its_head_is_refused(
    pair: tuple[str, bytes], data: st.DataObject
) -> None:
    """A name is never half a name: it is read whole, or the body is malformed."""
    name, stream = pair
    short = stream[: data.draw(st.integers(1, len(stream)))]
    try:
        found = read(short)
    except Refused as refused:
        assert refused.reason is Reason.PAYLOAD_MALFORMED
    else:
        assert found in (NOTHING.get(name, (name, TEXT)), (None, ABSENT))
        assert found[1] is not ABSENT or short == MAGIC or name in NOTHING or stream[4] in b"wyz"


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_what_follows_the_magic_may_be_anything(rest: bytes) -> None:
    """A printable name, none, or a refusal."""
    try:
        value, kind = read(MAGIC + rest)
    except Refused as refused:
        assert refused.reason is Reason.PAYLOAD_MALFORMED
    else:
        assert (kind == TEXT and isinstance(value, str) and value.isprintable()) or value is None


@pytest.mark.parametrize(
    "data", [b"<xml/>", b"\xac\xed", b"\xac\xed\x00\x04sr", MAGIC + b"s", MAGIC + b"q\x00~\x00\x00"]
)
def test_a_body_that_is_no_java_stream_is_quarantined(data: bytes) -> None:
    """XML, a stump, another version, an end where an object should be, a reference to nothing."""
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.reason is Reason.PAYLOAD_MALFORMED
