"""The fields of a message descriptor, by the letters of dmpmqmsg and the names of amqsbcg.

Source: the table `Flds` of qloadfnc.c (ibm-messaging/mq-q-qload).
"""

LONG, CHAR, BYTE = "long", "char", "byte"

FIELDS: dict[str, tuple[str, str]] = {
    "VER": ("Version", LONG),
    "RPT": ("Report", LONG),
    "MST": ("MsgType", LONG),
    "EXP": ("Expiry", LONG),
    "FDB": ("Feedback", LONG),
    "ENC": ("Encoding", LONG),
    "CCS": ("CodedCharSetId", LONG),
    "FMT": ("Format", CHAR),
    "PRI": ("Priority", LONG),
    "PER": ("Persistence", LONG),
    "MSI": ("MsgId", BYTE),
    "COI": ("CorrelId", BYTE),
    "BOC": ("BackoutCount", LONG),
    "RTQ": ("ReplyToQ", CHAR),
    "RTM": ("ReplyToQMgr", CHAR),
    "USR": ("UserIdentifier", CHAR),
    "ACC": ("AccountingToken", BYTE),
    "AID": ("ApplIdentityData", CHAR),
    "AIX": ("ApplIdentityData", BYTE),
    "PAT": ("PutApplType", LONG),
    "PAN": ("PutApplName", CHAR),
    "PTD": ("PutDate", CHAR),
    "PTT": ("PutTime", CHAR),
    "AOD": ("ApplOriginData", CHAR),
    "AOX": ("ApplOriginData", BYTE),
    "GRP": ("GroupId", BYTE),
    "MSQ": ("MsgSeqNumber", LONG),
    "OFF": ("Offset", LONG),
    "MSF": ("MsgFlags", LONG),
    "ORL": ("OriginalLength", LONG),
}
"""Letters → name and type."""

NAMES = {name: kind for name, kind in FIELDS.values() if name != "ApplIdentityData"} | {
    "ApplIdentityData": CHAR,
    "ApplOriginData": CHAR,
}
"""Name → type, as amqsbcg prints it."""


def text_of(data: bytes) -> str:
    """A written value: UTF-8, else a character a byte."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
