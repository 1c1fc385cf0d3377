"""The evidence pack: whatever is changed in it is found and named, by the tool and without it."""

import hashlib
import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.errors import CouldNotVerify, UsageError
from migrate.core.runfolder import RunFolder
from reports import verify
from reports.evidence import write_evidence
from reports.signing import PRIVATE, PUBLIC, public_pem, signing_key
from reports.verify import SALT, ed25519_verifies, files_below, merkle_root, verify_pack
from tests.reports.runs import CASES, write

RunOf = Callable[[str], RunFolder]
AGAIN = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def run(run_of: RunOf) -> RunFolder:
    """A run with its evidence sealed."""
    folder = run_of("agrees-with-open")
    write_evidence(folder)
    return folder


@pytest.fixture
def pack(run: RunFolder) -> Iterator[Path]:
    """The pack, which a test finds intact and leaves as it likes."""
    folder = run.root / "evidence"
    assert verify_pack(folder) == []
    yield folder


def named(problems: list[str], name: str) -> bool:
    """Whether some problem names the file."""
    return any(problem.startswith(f"{name}: ") for problem in problems)


@AGAIN
@given(st.data())
def test_any_edited_byte_is_found_and_its_file_named(pack: Path, data: st.DataObject) -> None:
    """In any file of the pack, at any place."""
    name = data.draw(st.sampled_from(sorted(files_below(pack))))
    path = pack / name
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    edited = bytearray(whole)
    edited[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(edited)
    problems = verify_pack(pack)
    path.write_bytes(whole)
    suspect = "manifest.json" if name == "manifest.sig" else name
    assert named(problems, suspect), problems


@AGAIN
@given(st.data())
def test_any_truncation_is_found(pack: Path, data: st.DataObject) -> None:
    """Also of the manifest and its signature."""
    name = data.draw(st.sampled_from(sorted(files_below(pack))))
    path = pack / name
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    problems = verify_pack(pack)
    path.write_bytes(whole)
    assert named(problems, name) or named(problems, "manifest.json"), problems


def test_any_removed_file_is_found(pack: Path) -> None:
    """Each in turn."""
    for name in sorted(files_below(pack)):
        aside = pack.parent / "aside"
        (pack / name).rename(aside)
        assert named(verify_pack(pack), name)
        aside.rename(pack / name)


@pytest.mark.parametrize("name", ["extra.txt", "files/report/extra.html", ".hidden"])
def test_any_added_file_is_found(name: str, pack: Path) -> None:
    """A pack holds what its manifest names and nothing else."""
    (pack / name).write_text("x", encoding="utf-8")
    assert verify_pack(pack) == [f"{name}: not in the manifest"]


def test_a_link_is_no_file(pack: Path) -> None:
    """Even where it leads to the same bytes."""
    path = pack / "files" / "summary.json"
    path.rename(pack.parent / "elsewhere")
    path.symlink_to(pack.parent / "elsewhere")
    assert verify_pack(pack) == ["files/summary.json: missing"]


@pytest.mark.parametrize(
    "name",
    [
        "baseline.json",
        "legacy/custody/000001.parquet",
        "reconciliation/verdicts.parquet",
        "summary.json",
        "inputs/mappings/custody.custody.sql",
    ],
)
def test_files_that_stayed_in_the_run_folder_are_checked_there(name: str, run: RunFolder) -> None:
    """By the run folder's own path too."""
    path = run.root / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert verify_pack(run.root) == [f"{name}: changed"]
    path.unlink()
    assert verify_pack(run.root) == [f"{name}: missing"]


def test_a_segment_added_to_the_run_is_found(run: RunFolder) -> None:
    """A stranger among the kept files."""
    (run.root / "legacy" / "custody" / "000002.parquet").write_bytes(b"x")
    assert verify_pack(run.root) == ["legacy/custody/000002.parquet: not in the manifest"]


def test_what_loading_wrote_about_itself_is_no_evidence(run: RunFolder) -> None:
    """messages/, receipts/ and ledger.db may go: the verdict does not rest on them."""
    (run.root / "messages").mkdir()
    (run.root / "messages" / "x.parquet").write_bytes(b"x")
    assert verify_pack(run.root) == []


def test_a_lost_salt_is_said(run: RunFolder) -> None:
    """Without it the kept files cannot be checked, and that is no pass."""
    (run.root / SALT).unlink()
    assert verify_pack(run.root) == [f"{SALT}: missing: files kept in the run cannot be checked"]


def test_a_pack_alone_can_be_checked_anywhere(run: RunFolder, tmp_path: Path) -> None:
    """By the copy of the script in it, with Python alone and no package of ours."""
    pack = shutil.copytree(run.root / "evidence", tmp_path / "post" / "pack")
    command = [sys.executable, "-I", "-S", str(pack / "verify.py")]
    good = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == f"intact; signed by {verify.fingerprint(public_pem(signing_key()))}\n"
    (pack / "files" / "plan.toml").write_text("", encoding="utf-8")
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stderr) == (1, "")
    assert bad.stdout == "files/plan.toml: changed in size\nNOT INTACT: 1 problem(s)\n"


def test_sealing_twice_gives_the_same_pack(run: RunFolder) -> None:
    """Bytes, names and modes; nothing is left beside it."""
    pack = run.root / "evidence"
    first = {name: (pack / name).read_bytes() for name in files_below(pack)}
    write_evidence(run)
    assert {name: (pack / name).read_bytes() for name in files_below(pack)} == first
    assert {stat.S_IMODE((pack / name).stat().st_mode) for name in first} == {0o600}
    assert not (run.root / ".evidence.new").exists()


def test_no_unkeyed_digest_of_data_leaves_the_run_folder(run: RunFolder) -> None:
    """Nor any personal id, in any file of the pack."""
    pack = run.root / "evidence"
    everything = b"".join((pack / name).read_bytes() for name in files_below(pack))
    manifest = json.loads((pack / "manifest.json").read_bytes())
    disclosed = {entry["path"].removeprefix("files/") for entry in manifest["files"]}
    kept = manifest["kept"]
    assert {"baseline.json", "legacy/custody/000001.parquet"} <= {entry["path"] for entry in kept}
    for entry in kept:
        if entry["path"] not in disclosed:
            digest = hashlib.sha256((run.root / entry["path"]).read_bytes()).hexdigest()
            assert digest.encode() not in everything, entry["path"]
    assert not re.search(rb"CU-20\d\d-", everything)
    assert (run.root / SALT).read_bytes() not in everything


def test_the_manifest_signs_run_verdict_root_and_size(run: RunFolder) -> None:
    """A root without its tree's size could be another tree's."""
    manifest = json.loads((run.root / "evidence" / "manifest.json").read_bytes())
    assert manifest["run"]["id"] == "20260301T220000-a1b2"
    assert (manifest["verdict"], manifest["marking"]) == ("agrees", "OFFICIAL-SENSITIVE")
    assert manifest["tree"]["size"] == len(manifest["files"]) + len(manifest["kept"])


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", ""])
def test_a_manifest_cannot_point_outside_its_pack(path: str, pack: Path) -> None:
    """Whoever wrote it; such a manifest is damaged, whatever its signature."""
    manifest = json.loads((pack / "manifest.json").read_bytes())
    manifest["files"][0]["path"] = path
    (pack / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "manifest.json: damaged" in verify_pack(pack)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1, "kept": [], "tree": {}}', "\ud800"])
def test_a_manifest_that_is_none_is_damaged(text: str, pack: Path) -> None:
    """And never a traceback."""
    (pack / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "manifest.json: damaged" in verify_pack(pack)


def test_no_pack_at_all_is_a_problem(tmp_path: Path) -> None:
    """Not a pass."""
    assert verify_pack(tmp_path) == ["manifest.json: missing or unreadable"]


def test_a_run_without_a_verdict_has_no_evidence(tmp_path: Path) -> None:
    """There is nothing to seal."""
    with pytest.raises(CouldNotVerify):
        write_evidence(RunFolder(tmp_path / "r1"))


def test_the_key_is_made_once_outside_the_run_for_its_owner_only(own_keys: Path) -> None:
    """Its public half lies beside it."""
    first = signing_key()
    assert public_pem(signing_key()) == public_pem(first) == (own_keys / PUBLIC).read_bytes()
    assert stat.S_IMODE((own_keys / PRIVATE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"-----BEGIN NONSENSE-----\n"])
def test_a_damaged_key_is_an_error_with_a_remedy(content: bytes, own_keys: Path) -> None:
    """Never silently a new one."""
    (own_keys / PRIVATE).write_bytes(content)
    with pytest.raises(UsageError, match="no Ed25519 key") as caught:
        signing_key()
    assert caught.value.hint is not None


def test_an_unusable_key_folder_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place, say."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="cannot be used"):
        signing_key()


LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""The reference tree of certificate-transparency implementations."""


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_the_tree_is_that_of_rfc_6962(size: int, root: str) -> None:
    """Root hashes that every implementation of the standard is tested with."""
    assert merkle_root(LEAVES[:size]).hex() == root


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20))
def test_a_doubled_leaf_is_another_tree(leaves: list[bytes]) -> None:
    """Where odd nodes are doubled instead of promoted, two trees share a root."""
    assert merkle_root(leaves) != merkle_root([*leaves, leaves[-1]])


VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
"""RFC 8032, section 7.1, tests 1 and 2: public key, message, signature."""


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_rfc_8032_verify(public: str, message: str, signature: str) -> None:
    """And with a bit more or less in them they do not."""
    key, data, sign = (bytes.fromhex(text) for text in (public, message, signature))
    assert ed25519_verifies(key, sign, data)
    assert not ed25519_verifies(key, sign, data + b"x")
    assert not ed25519_verifies(key, sign[:-1], data)


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_our_verification_is_that_of_cryptography(seed: bytes, message: bytes, bit: int) -> None:
    """What the library signs verifies; with any bit of the signature flipped it does not."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert ed25519_verifies(public, signature, message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not ed25519_verifies(public, bytes(flipped), message)


def test_a_signature_with_the_order_added_is_refused() -> None:
    """Else one signature would have several forms."""
    public, message, signature = (bytes.fromhex(text) for text in VECTORS[0])
    scalar = (
        int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    )
    assert not ed25519_verifies(public, signature[:32] + scalar.to_bytes(32, "little"), message)


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_case_can_be_sealed_and_verified(case: str, tmp_path: Path) -> None:
    """Hostile names and all."""
    assert verify_pack(write_evidence(write(CASES[case](), tmp_path / case))) == []
