"""Masking secrets in connection strings, wherever they hide.

Two forms are known: URLs (`scheme://user:password@host/?token=…`, a parameter
may itself hold a URL or a connection string) and pairs (`PWD=…;`, as ODBC,
JDBC and libpq write them). Where a text can be read in two ways, the reading
that hides more wins: a userinfo reaches to the last `@`, a pair in a URL to the
next `&`.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote_plus, unquote_plus

MASK = "***"

_SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|key|credential|signature|bearer|(?:^|[_-])(?:sig|sas|pin|pat)$",
    re.IGNORECASE,
)
_NO_SECRET_NAME = re.compile(r"(?:file|path|name|space)$|^ssl[_-]?key$", re.IGNORECASE)
_SCHEME = r"[A-Za-z][A-Za-z0-9+.:-]*://"
_WHOLE = re.compile(rf"\s*({_SCHEME})(.*)", re.DOTALL)
_QUOTED = r"""(?:'(?:\\.|[^'\\])*'|\{(?:[^}]|\}\})*\}|"(?:[^"]|"")*")"""
_URL_OR_NAME = re.compile(
    rf"(?P<url>(?<![A-Za-z0-9]){_SCHEME}[^\s\"'<>]*)|(?P<name>[A-Za-z_][\w.-]{{0,60}})\s*=\s*"
)
_PAIR_VALUE = re.compile(rf"{_QUOTED}?[^\s&]*", re.DOTALL)
_PAIR_VALUE_TO_SEMICOLON = re.compile(rf"{_QUOTED}?[^;]*", re.DOTALL)  # ODBC: blanks belong
_IN_TAIL = re.compile(r"(;\s*)([^;=&?]+)=([^&]*)", re.DOTALL)
_TOKEN_SCHEMES = ("nats", "tls", "ws", "wss")

_Hide = Callable[[str], str]


def mask_url(text: str) -> str:
    """The text with every password, token and key replaced by `***`.

    Takes a URL, a connection string, or a sentence with some of them in it.
    Masking twice changes nothing.
    """
    return _rewrite(text, lambda secret: MASK if secret else "")


def url_secrets(text: str) -> list[str]:
    """The secrets `mask_url` would hide, as written, empty ones left out."""
    found: list[str] = []

    def keep(secret: str) -> str:
        if secret:
            found.append(secret)
        return secret

    _rewrite(text, keep)
    return found


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name holds a secret: `sslpassword`, `PWD`, `api_key` …

    Names of files and of keys (`passfile`, `sslkey`, `SharedAccessKeyName`) do not.
    """
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET_NAME.search(name)


def _rewrite(text: str, hide: _Hide) -> str:
    whole = _WHOLE.fullmatch(text)
    if whole:
        return text[: whole.start(1)] + _url(whole[1], whole[2], hide)
    pieces: list[str] = []
    done = 0
    for start, end, hidden in _embedded(text, hide):
        pieces += (text[done:start], hidden)
        done = end
    return "".join((*pieces, text[done:]))


def _embedded(text: str, hide: _Hide) -> Iterator[tuple[int, int, str]]:
    """URLs and secret pairs inside a text, whichever begins first: where, and what to show."""
    value_of = _PAIR_VALUE_TO_SEMICOLON if ";" in text else _PAIR_VALUE
    end = 0
    while found := _URL_OR_NAME.search(text, end):
        end = found.end()
        if found["url"]:
            yield found.start(), end, _rewrite(found["url"], hide)
        elif is_secret_name(found["name"]):
            value = value_of.match(text, end)
            assert value is not None  # it matches the empty text too
            yield end, value.end(), hide(value[0])
            end = value.end()


def _url(scheme: str, rest: str, hide: _Hide) -> str:
    userinfo, at, tail = rest.rpartition("@")
    if at:
        userinfo = _userinfo(scheme, userinfo, hide)
    path, mark, query = tail.partition("?")
    parameters = "&".join(_parameter(part, hide) for part in query.split("&"))
    return (
        scheme
        + userinfo
        + at
        + _IN_TAIL.sub(lambda m: _tail_pair(m, hide), path)
        + (mark + parameters)
    )


def _userinfo(scheme: str, userinfo: str, hide: _Hide) -> str:
    user, colon, password = userinfo.partition(":")
    if colon:
        return user + colon + hide(password)
    return hide(user) if scheme.partition(":")[0].lower() in _TOKEN_SCHEMES else user


def _parameter(part: str, hide: _Hide) -> str:
    name, equals, value = part.partition("=")
    if is_secret_name(unquote_plus(name)):
        return name + equals + hide(value)
    plain = unquote_plus(value)
    if "=" not in plain and "://" not in plain:
        return part
    hidden = _rewrite(plain, hide)
    return part if hidden == plain else name + equals + quote_plus(hidden, safe="*")


def _tail_pair(match: re.Match[str], hide: _Hide) -> str:
    before, name, value = match.groups()
    if is_secret_name(name):
        return f"{before}{name}={hide(value)}"
    return f"{before}{name}=" + _IN_TAIL.sub(lambda m: _tail_pair(m, hide), value)
