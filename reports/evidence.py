"""The evidence pack of a run: what may leave the run folder, sealed and signed.

    evidence/
      manifest.json     every file with size and digest, Merkle root and tree size, run, verdict
      manifest.sig      Ed25519 over the manifest's bytes
      signer.pem        the public key
      verify.py         checks all this with Python alone
      READ-ME.txt
      files/            verdict, plan, mappings, schemas, the redacted reports

What holds people's data (segments, quarantine, the bus, verdicts, reference
tables) stays in the run folder. The manifest names it with a digest keyed by a
salt that stays there too: an unkeyed digest of a payload can be guessed, and
never leaves. Sealing the same run again gives the same bytes.
"""

import json
import secrets
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from migrate.core.durable import private_folder, sync_folder, write_bytes
from migrate.core.runfolder import RunFolder
from reports import csv, html
from reports import json as json_report
from reports.build import replace
from reports.model import Json, Report, load_report
from reports.signing import public_pem, signing_key
from reports.verify import (
    KEPT_FOLDERS,
    MANIFEST,
    SALT,
    SIGNATURE,
    SIGNER,
    files_below,
    fingerprint,
    leaf,
    merkle_root,
    sealed_digest,
)

DISCLOSED = ("inputs/mappings", "inputs/schemas")
"""Folders of a run that hold no people's data and go into the pack as they are."""

KEPT_FILES = ("baseline.json", "bus.db", "plan.toml", "summary.json")

READ_ME = """\
{marking}

Evidence of run {run}: {verdict}.

Check it with Python alone:    python3 verify.py
or its signature with OpenSSL: openssl pkeyutl -verify -pubin -inkey signer.pem -rawin \\
                                 -in manifest.json -sigfile manifest.sig

Signed by the key with the fingerprint
    {fingerprint}
A pack cannot vouch for its own key or its own verify.py: have the fingerprint
confirmed by another way, and take verify.py from an installation you trust.

Personal ids are keyed hashes. Files that hold people's data stayed in the run
folder; the manifest names them with keyed digests, whose key stayed there too.
"""


def write_evidence(folder: RunFolder) -> Path:
    """Seal a reconciled run; returns the pack's folder, which replaces an older one.

    Raises CouldNotVerify for a run without a verdict and UsageError when the
    signing key cannot be used.
    """
    report, key = load_report(folder), signing_key()
    pack, work = folder.root / "evidence", folder.root / ".evidence.new"
    shutil.rmtree(work, ignore_errors=True)
    private_folder(work)
    pem = public_pem(key)
    _gather(folder, report, work)
    _explain(report, work, pem)
    manifest = _text(_manifest(folder, report, work, pem))
    write_bytes(work / MANIFEST, manifest, event="evidence")
    write_bytes(work / SIGNATURE, key.sign(manifest), event="evidence")
    shutil.rmtree(pack, ignore_errors=True)
    work.rename(pack)
    sync_folder(folder.root)
    return pack


def _gather(folder: RunFolder, report: Report, work: Path) -> None:
    """Copies of what may leave, and the redacted reports, below files/."""
    files = private_folder(work / "files")
    names = [f"{top}/{name}" for top in DISCLOSED for name in files_below(folder.root / top)]
    for name in ("summary.json", "plan.toml", *names):
        write_bytes(files / name, (folder.root / name).read_bytes(), event="evidence")
    for form in (html, json_report, csv):
        replace(files / "report" / form.FILE, form.render(report))


def _explain(report: Report, work: Path, pem: bytes) -> None:
    """What a stranger needs in order to check the pack."""
    script = resources.files("reports").joinpath("verify.py").read_bytes()
    said = READ_ME.format(
        marking=report.marking,
        run=report.run["id"],
        verdict=report.verdict,
        fingerprint=fingerprint(pem),
    )
    for name, data in ((SIGNER, pem), ("verify.py", script), ("READ-ME.txt", said.encode())):
        write_bytes(work / name, data, event="evidence")


def _manifest(folder: RunFolder, report: Report, work: Path, pem: bytes) -> Json:
    files = [_entry(work, name, None) for name in files_below(work)]
    salt = _salt(folder)
    kept = [_entry(folder.root, name, salt) for name in _kept(folder)]
    leaves = [leaf(entry) for entry in (*files, *kept)]
    run = ("id", "kind", "plan_digest", "tool_version", "as_of")
    return {
        "type": "isb-migrate/evidence/1",
        "marking": report.marking,
        "run": {name: report.run.get(name) for name in run},
        "verdict": report.verdict,
        "signer": {"algorithm": "Ed25519", "fingerprint": fingerprint(pem)},
        "tree": {
            "algorithm": "RFC 6962, SHA-256",
            "size": len(leaves),
            "root": merkle_root(leaves).hex(),
        },
        "files": files,
        "kept": kept,
    }


def _entry(folder: Path, name: str, salt: bytes | None) -> dict[str, Any]:
    size, digest = sealed_digest(folder / name, salt)
    return {"path": name, "bytes": size, "sha256" if salt is None else "hmac_sha256": digest}


def _kept(folder: RunFolder) -> Iterator[str]:
    """Files that stay in the run folder and are vouched for all the same."""
    yield from (name for name in KEPT_FILES if (folder.root / name).is_file())
    for top in KEPT_FOLDERS:
        yield from (f"{top}/{name}" for name in files_below(folder.root / top))


def _salt(folder: RunFolder) -> bytes:
    """The run's salt, made once."""
    path = folder.root / SALT
    if not path.is_file():
        write_bytes(path, secrets.token_bytes(32), event="evidence")
    return path.read_bytes()


def _text(manifest: Json) -> bytes:
    return (json.dumps(manifest, ensure_ascii=True, indent=1) + "\n").encode()
