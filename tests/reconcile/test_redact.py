"""Pseudonyms are keyed: equal within a namespace, of no use without its key."""

import hashlib
import threading
from pathlib import Path

import pytest

from migrate.core.errors import UsageError
from migrate.core.redact import Pseudonyms, key_file, read_key


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "keys"
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(folder))
    return folder


def test_equal_values_have_equal_pseudonyms_run_after_run() -> None:
    """Else two reports could not be compared."""
    assert Pseudonyms("met.isb").of("legacy_id", "A1") == Pseudonyms("met.isb").of(
        "legacy_id", "A1"
    )


def test_another_value_meaning_or_namespace_is_another_pseudonym() -> None:
    """Nothing can be matched across them."""
    names = Pseudonyms("met.isb")
    made = [
        names.of("legacy_id", "A1"),
        names.of("legacy_id", "A2"),
        names.of("message_id", "A1"),
        names.of("legacy_idA", "1"),
        Pseudonyms("other").of("legacy_id", "A1"),
    ]
    assert len(set(made)) == len(made)


def test_a_pseudonym_is_no_plain_digest() -> None:
    """A number plate's digest is guessed in a second."""
    made = Pseudonyms("met.isb").of("plate", "AB12 CDE")
    assert len(made) == 16
    assert made not in hashlib.sha256(b"AB12 CDE").hexdigest()


def test_any_text_has_one() -> None:
    """Half a surrogate pair comes out of hostile JSON."""
    names = Pseudonyms("met.isb")
    assert names.of("x", "\ud800") != names.of("x", "")
    assert names.of("x", "é") == names.of("x", "é".encode())


def test_the_key_is_private_and_stays(keys: Path) -> None:
    """Made once, mode 0600, in a folder of mode 0700."""
    first = read_key("met.isb")
    assert read_key("met.isb") == first
    assert key_file("met.isb").stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in keys.iterdir()] == ["met.isb.key"]


def test_processes_that_make_a_key_at_once_agree() -> None:
    """Whoever comes second uses the first one's."""
    found: list[bytes] = []
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        found.append(read_key("met.isb"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize("namespace", ["../../etc/x", "a/b", "", "ä", "." * 3, "x" * 300])
def test_a_namespace_never_leads_out_of_the_folder(keys: Path, namespace: str) -> None:
    """It names a file in it, or its digest does."""
    read_key(namespace)
    assert key_file(namespace).parent == keys
    assert len(list(keys.iterdir())) == 1


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_damaged_key_is_an_error_with_a_remedy(keys: Path, content: str) -> None:
    """Silently making another would break every comparison with older reports."""
    keys.mkdir()
    (keys / "met.isb.key").write_text(content)
    with pytest.raises(UsageError) as caught:
        read_key("met.isb")
    assert caught.value.hint
    assert not content or content not in str(caught.value)


def test_a_folder_that_cannot_be_used_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "file" / "keys"))
    with pytest.raises(UsageError, match="cannot be used"):
        read_key("met.isb")
