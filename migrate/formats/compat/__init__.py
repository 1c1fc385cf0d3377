"""Whether one version of a format may take another's place.

The question is always one of containment: is every document valid under A valid
under B? *Backward* compatible: A is the old version, B the new one. *Forward*: the
other way round. JSON Schema is richer than what anybody can decide, so there are
three answers, and the two firm ones are both shown: "yes" is proven keyword by
keyword, "no" has a document in hand that A accepts and B refuses, as the validator
itself says. Everything else is "cannot tell", with keyword and place.

    node      a schema: references followed, types, what is asserted, the validator
    merge     the schema of what two schemas both accept
    doubts    the proof: where B may refuse what A accepts
    scalars   the same for text and numbers
    members   the same for objects
    items     the same for arrays
    samples   documents that a schema accepts
    claim     doubts tried out: the three answers and their reasons
"""
