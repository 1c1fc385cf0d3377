"""Coded character set identifiers of IBM MQ and the codecs that read them."""

_CODECS = {
    367: "ascii",
    813: "iso8859-7",
    819: "iso8859-1",
    874: "cp874",
    912: "iso8859-2",
    913: "iso8859-3",
    914: "iso8859-4",
    915: "iso8859-5",
    916: "iso8859-8",
    920: "iso8859-9",
    923: "iso8859-15",
    932: "cp932",
    943: "cp932",
    954: "euc-jp",
    1089: "iso8859-6",
    1208: "utf-8",
    1209: "utf-8",
    1363: "cp949",
    1381: "gb2312",
    1386: "gbk",
    5348: "cp1252",
    5488: "gb18030",
}
_UTF_16 = (1200, 1202, 13488, 17584)
_SAME_NUMBER = (
    *(37, 273, 424, 437, 500, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865),
    *(866, 869, 875, 949, 950, 1026, 1125, 1140),
    *range(1250, 1259),
)
_CODECS.update({number: f"cp{number:03d}" for number in _SAME_NUMBER})


def codec_of(ccsid: int, *, little: bool) -> str | None:
    """The codec of an identifier; None for those that name none (0, -1, -2 …).

    `little`: whether numbers are written low byte first, which UTF-16 follows. For a
    character set that Python does not have, `ccsid-N`, which nothing will decode by mistake.
    """
    if ccsid <= 0:
        return None
    if ccsid in _UTF_16:
        return "utf-16-le" if little else "utf-16-be"
    return _CODECS.get(ccsid, f"ccsid-{ccsid}")
