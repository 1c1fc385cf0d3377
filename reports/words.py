"""The sentences of the report: what a verdict, a reason, a finding and a level mean.

Everything a reader could ask "what does that mean?" about has its sentence
here, once, so that all formats say the same.
"""

from collections.abc import Mapping

from migrate.core.reasons import Reason

VERDICTS: Mapping[str, str] = {
    "agrees": "Every legacy message in scope has one fate, every expected delivery was observed "
    "once and unaltered, and nothing was found that should not be there.",
    "differs": "What was observed is not what the plan promised. The findings below say where.",
    "unverified": "Nothing is known to be wrong, but not everything could be checked. Until the "
    "reasons below are settled this is not a pass.",
}

FATES: Mapping[str, str] = {
    "replayed": "to the off-ramps their routes name",
    "archived": "kept on the archive, delivered to no live system",
    "excluded": "left behind by a named rule with an authority",
    "quarantined": "kept with their bytes and a reason, for a decision",
}

DELIVERY_KINDS: Mapping[str, str] = {
    "missing": "Expected at a destination and not observed there.",
    "duplicated": "Observed more often than expected.",
    "altered": "Observed with another body or another attribute than derived.",
    "misrouted": "Observed where neither fate nor route sends it.",
    "reordered": "Arrived out of the declared order of its order key.",
    "unexpected": "Observed and not to be accounted for by any legacy message.",
}

SOURCE_KINDS: Mapping[str, str] = {
    "source_added": "A legacy record inside the sealed population that was not there at sealing.",
    "source_removed": "A legacy record that was sealed and is no longer in the store.",
    "source_changed": "A legacy record that no longer holds what was sealed.",
}

WHOLE_KINDS: Mapping[str, str] = {
    "unbalanced": "The fates of a flow do not add up to its legacy messages.",
    "unclaimed": "Records of a store that no flow claims, or that two flows claim.",
    "over_limit": "More quarantined or excluded messages than the plan allows.",
    "invariant": "A message that breaks an assertion of the plan about legacy and message fields.",
    "orphaned": "A reply without its request, or a request whose reply was left behind.",
}

KINDS: Mapping[str, str] = {**DELIVERY_KINDS, **SOURCE_KINDS, **WHOLE_KINDS}
"""Every finding kind in the order in which reports show them."""

DOUBTS = frozenset({"unclaimed"})
"""Kinds that leave a verdict unverified without making it differ."""

REASONS: Mapping[str, str] = {
    Reason.DUPLICATE_KEY: "Several rows claim one declared key; which one is meant is not ours "
    "to say.",
    Reason.NULL_KEY: "The row has no value in a declared key column.",
    Reason.TIME_INVALID: "A legacy time column holds no date that exists.",
    Reason.TIME_NONEXISTENT: "A local time in the hour that the clocks skip in spring.",
    Reason.TIME_AMBIGUOUS: "A local time in the hour that happens twice in autumn.",
    Reason.COLUMN_INVALID: "A legacy column cannot be read as its declared type.",
    Reason.PAYLOAD_EMPTY: "The body is empty, and the mapping needs fields of it.",
    Reason.PAYLOAD_ENCODING: "The bytes are not what the declared character set allows.",
    Reason.PAYLOAD_MALFORMED: "The body does not parse as the declared format.",
    Reason.PAYLOAD_DOCTYPE: "The XML declares a DOCTYPE; its entities are never expanded.",
    Reason.PAYLOAD_TOO_DEEP: "The body is nested beyond the plan's limit.",
    Reason.PAYLOAD_TOO_LARGE: "The body is larger than the plan's limit.",
    Reason.PAYLOAD_DUPLICATE_MEMBER: "A JSON object names one member twice.",
    Reason.FIELD_MISSING: "A field the plan requires is absent, null or empty.",
    Reason.FIELD_AMBIGUOUS: "A field has several values where the plan expects one.",
    Reason.FATE_UNDECIDED: "No fate rule of the plan matches.",
    Reason.RULE: "A fate rule of the plan sends it to quarantine; the place names the rule.",
    Reason.MAPPING_ERROR: "The mapping fails on this message.",
    Reason.MAPPING_NO_ROW: "The mapping returns nothing for this message.",
    Reason.MAPPING_MANY_ROWS: "The mapping returns several rows for this message, as a reference "
    "code that is listed twice makes it do.",
    Reason.MAPPING_VALUE: "The mapping returns a value that the message contract forbids.",
    Reason.SCHEMA_INVALID: "The message does not satisfy the schema of its type.",
    Reason.NO_OUTPUT: "The message is to be replayed, but no output or no route applies to it.",
    Reason.HELD: "A predecessor with the same order key is quarantined.",
    Reason.RECORD_UNREADABLE: "The record cannot be cut or decoded; its bytes are kept whole.",
}

UNKNOWN = "This version of the report has no sentence for it."


def meaning(table: Mapping[str, str], name: str) -> str:
    """The sentence for a name; says so where there is none."""
    return table.get(name, UNKNOWN)
