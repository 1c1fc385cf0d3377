"""Lists that made-up records are drawn from, and the legacy bus's clock.

Everything is safe to put into XML, JSON and CSV as it stands, and every length
is prime, so that one roll of the dice gives independent choices.
"""

SURNAMES = (
    "Ashdown",
    "Bellwether",
    "Carraway",
    "Dunmore",
    "Eastlake",
    "Fenwright",
    "Garrowby",
    "Hollins-Ward",
    "Inglethorpe",
    "Juniper",
    "Kestrelson",
    "Larkspur",
    "Müller",
    "Nightingale",
    "O\u2019Rowan",
    "Pemberley",
    "Quillfeather",
    "Rosé",
    "Stonebridge",
)
FORENAMES = (
    "Alder",
    "Briony",
    "Corin",
    "Delphine",
    "Emrys",
    "Fern",
    "Gareth",
    "Hazel",
    "Ivo",
    "Jonquil",
    "Keir",
    "Linnet",
    "Zoë",
)
STREETS = (
    "Acacia Walk",
    "Bobbin Lane",
    "Cartwheel Street",
    "Drovers Rise",
    "Elmhurst Parade",
    "Foundry Row",
    "Gasworks Path",
    "Harbinger Road",
    "Ironmonger Yard",
    "Jubilee Steps",
    "King Cole Mews",
)
AREAS = (
    ("Eastmere", "ZE1"),
    ("Northolm", "ZN4"),
    ("Southwick Green", "ZS2"),
    ("Westbourne Hythe", "ZW9"),
    ("Upper Marsh", "ZU3"),
    ("Canal Reach", "ZC7"),
    ("Old Brewery", "ZB5"),
)
SUITES = (
    ("ZA", "Eastmere custody suite", "Area East"),
    ("ZB", "Northolm custody suite", "Area North"),
    ("ZC", "Southwick custody suite", "Area South"),
    ("ZD", "Westbourne custody suite", "Area West"),
    ("ZE", "Canal Reach custody suite", "Area Central"),
)
OFFENCES = (
    ("SX68001", "Theft from a shop", "review after 6 years"),
    ("SX68010", "Burglary, dwelling", "review after 10 years"),
    ("SX71002", "Criminal damage", "review after 6 years"),
    ("SX88014", "Drunk and disorderly", "review after 6 years"),
    ("SX61003", "Assault occasioning actual bodily harm", "review after 10 years"),
    ("SX06021", "Driving while disqualified", "review after 6 years"),
    ("SX91007", "Possession of a bladed article", "review after 10 years"),
)
PATTERNS = tuple(
    (f"SYN-P{number:03d}", label)
    for number, label in enumerate(
        (
            "Parallel bars",
            "Wave",
            "Lattice",
            "Target circles",
            "Zigzag",
            "Plain",
            "Studs",
            "Hexagons",
            "Logo and bars",
            "Crepe",
            "Random blocks",
        ),
        start=1,
    )
)
WARNINGS = ("AILMENT", "ALLEGES", "CONCEALS", "ESCAPER", "VIOLENT")
DEVICES = ("IN-VEHICLE", "HAND-HELD")
REMARKS = (
    "Property taken into safe keeping and listed on the continuation sheet; seal checked twice.",
    "Nurse asked to attend; detainee says that medication was taken this morning, no dose due.",
    "Rights and entitlements given and understood, a copy of the notice was handed over.",
    "Solicitor telephoned by the desk; will arrive after the identification procedure ends.",
    "Appropriate adult requested by the investigating officer and confirmed for the evening.",
    "Interview room two out of order, the recording was made in room four instead.",
    "Vehicle left secure at the scene; keys handed to the registered keeper\u2019s brother.",
    "Area search negative; neighbours spoken to, two of them offered statements for tomorrow.",
    "Handed over to the night shift with the paper log, entries complete to this point.",
    "Dog unit stood down, drone unit not available because of wind at the location.",
    "CCTV requested from the premises, the manager will burn a disc by the end of the week.",
)
"""Remarks of about 85 characters; one holds a typographic apostrophe."""

NAUGHTY = (
    "\u202ereversed\u202c Z\u0351\u036b\u0343a\u0334l\u0358g\u0327o "
    "\U0001f46e\U0001f3fd\u200d\u2640\ufe0f \ufdfa \u8868\u30dd\u3042 "
    "' OR 1=1 -- <b>&amp;</b> \u00bd \ufb01 \t tab"
)
"""Text that is legal everywhere and handled wrongly in many places."""

_DAYS = tuple(
    f"{month:02d}-{day:02d}"
    for month, last in ((4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30))
    for day in range(1, last + 1)
)
"""April to September: British Summer Time all through, in every year."""


def put_local(place: int, whole: int, year: int = 2018) -> str:
    """The wall clock when message `place` of `whole` was put: rising, inside the summer."""
    day, second = divmod(place * len(_DAYS) * 86_400 // whole, 86_400)
    return f"{year}-{_DAYS[day]} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
