"""Reports of a reconciled run: one file a format, one line here.

A format's module has `render(report) -> Iterable[bytes]` and `FILE`, the name
of what it writes under report/.
"""

REPORTS = {
    "html": "reports.html:render",
    "pdf": "reports.pdf:render",
    "xlsx": "reports.xlsx:render",
    "csv": "reports.csv:render",
    "json": "reports.json:render",
    "junit": "reports.junit:render",
}

EXTRAS = {
    "typst": "pdf",
    "xlsxwriter": "xlsx",
}
"""A missing module, and the extra that brings it."""
