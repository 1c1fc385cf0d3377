"""Readers of legacy stores: one file or folder a kind, one line here."""

STORES = {
    "sql": "extractors.sql:SqlStore",
    "files": "extractors.files:FilesStore",
    "kept": "extractors.kept:KeptStore",
}
