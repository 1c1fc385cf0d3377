"""The report's parts in their order; every readable format shows these and no others."""

from reports import account, exceptions, proof
from reports.model import Report
from reports.page import Listing, Section, Table


def sections(report: Report) -> tuple[Section, ...]:
    """Everything below the verdict, in the order in which an auditor asks."""
    return (
        _account(report),
        _deliveries(report),
        _findings(report),
        _exceptions(report),
        _controls(report),
        _invariants(report),
        _assurance(report),
        _rules(report),
        _population(report),
        _timings(report),
        _versions(report),
        _yourself(report),
    )


def _account(report: Report) -> Section:
    return Section(
        "account",
        "The account",
        "Read from left to right: what each flow of the legacy bus held, the one fate each "
        "message was given, and where its deliveries were to go. Widths are in proportion to "
        "numbers; the thinnest lines are drawn a little wider so that they can be seen.",
        (account.account_table(report), account.movement_table(report)),
        figure=True,
    )


def _deliveries(report: Report) -> Section:
    return Section(
        "deliveries",
        "Deliveries",
        "A delivery is one message to one destination. Expected ones were derived again from "
        "the legacy messages; observed ones were read from the bus by a connection of the "
        "witness's own. Neither number comes from what loading wrote about itself.",
        (account.delivery_table(report),),
    )


def _findings(report: Report) -> Section:
    return Section(
        "findings",
        "Findings",
        "Ids and values are keyed hashes: equal ones are equal in every report of this "
        "namespace, and nobody without the key can tell what they stand for. Whoever may see "
        "the originals finds them in the run folder, in reconciliation/findings.csv.",
        (exceptions.kind_table(report), exceptions.finding_table(report))
        if len(report.findings)
        else (exceptions.kind_table(report),),
    )


def _exceptions(report: Report) -> Section:
    return Section(
        "exceptions",
        "Quarantined, excluded and archived",
        "A quarantined message could not be mapped or is in doubt; its bytes and the reason "
        "are kept. An excluded one was left behind on somebody's authority.",
        (
            exceptions.quarantine_table(report),
            exceptions.excluded_table(report),
            exceptions.archived_table(report),
            exceptions.limit_table(report),
        ),
    )


def _controls(report: Report) -> Section:
    return Section(
        "controls",
        "Control totals",
        "Extraction is witnessed by totals that anybody can take with the queries below, in "
        "any client of the store, without this tool. Keys and digests of flows with personal "
        "ids are keyed hashes here; the run folder holds what the queries return in "
        "reconciliation/details.json.",
        _with_listing(
            (proof.control_table(report), proof.declared_table(report)),
            proof.control_queries(report),
        ),
    )


def _invariants(report: Report) -> Section:
    return Section(
        "invariants",
        "Invariants",
        "A mapping cannot witness itself: derived twice, a wrong mapping agrees with itself. "
        "Invariants compare fields of the legacy message with fields of the new one and know "
        "nothing of the mapping between them.",
        _with_listing((proof.invariant_table(report),), proof.invariant_queries(report)),
    )


def _assurance(report: Report) -> Section:
    return Section(
        "assurance",
        "What this rests on, and what could not be seen",
        "No verdict is better than what it rests on.",
        (proof.assurance_table(report), proof.check_table(report)),
    )


def _rules(report: Report) -> Section:
    return Section(
        "rules",
        "Rules and fates",
        "As written in the sealed plan; as_of is the one clock they see.",
        (proof.rule_table(report),),
    )


def _population(report: Report) -> Section:
    return Section(
        "population",
        "Claims and population",
        "The account starts at the store: everything in it is claimed by exactly one flow or "
        "declared out of scope with a reason.",
        (proof.claim_table(report), proof.population_table(report)),
    )


def _timings(report: Report) -> Section:
    return Section("timings", "Timings", "", (proof.timing_table(report),))


def _versions(report: Report) -> Section:
    return Section(
        "versions",
        "Versions and digests",
        "The same versions derive the same bytes. No digest of a payload stands here: an "
        "unkeyed digest of little data can be guessed, and never leaves the run folder.",
        (proof.version_table(report), proof.digest_table(report)),
    )


def _yourself(report: Report) -> Section:
    return Section(
        "check",
        "How to check this report without us",
        "Each of these needs the run folder or the legacy stores, and none needs our word. "
        "The evidence pack is made by: isb-migrate verify RUN --make.",
        (Listing("By hand", _steps(report)),),
    )


def _steps(report: Report) -> tuple[tuple[str, str], ...]:
    """What to do and the command for it."""
    rehearsal = report.run.get("kind") == "rehearsal"
    again = f"rm -r messages receipts ledger.db\nisb-migrate reconcile {report.run['id']}"
    return (
        *((("Count the deliveries on the embedded bus", COUNT),) if rehearsal else ()),
        ("Come to the verdict again in a copy of the run, without what loading wrote", again),
        ("Check the sealed inputs against the digests above", "sha256sum inputs/*/*"),
        ("Check the evidence pack, in its folder, with Python alone", "python3 verify.py"),
        ("Check its signature, in its folder, with OpenSSL", OPENSSL),
    )


COUNT = (
    'sqlite3 bus.db "SELECT destination, lane, count(*) FROM delivery GROUP BY 1, 2 ORDER BY 1, 2"'
)

OPENSSL = (
    "openssl pkeyutl -verify -pubin -inkey signer.pem -rawin -in manifest.json "
    "-sigfile manifest.sig"
)


def _with_listing(tables: tuple[Table, ...], listing: Listing) -> tuple[Table | Listing, ...]:
    """Tables and, where it has any items, a listing below them."""
    return (*tables, listing) if listing.items else tables
