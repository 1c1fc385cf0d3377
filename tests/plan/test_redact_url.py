"""No secret survives masking, wherever a connection string carries it."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.redact_url import MASK, is_secret_name, mask_url, url_secrets

FIRST, LAST = "Sq7first", "Xk3last"
ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
RAW = ANY.map(lambda text: f"{FIRST}{text}{LAST}")
"""A password with marks at both ends: if neither shows, no end of it does."""
NAMES = st.sampled_from(
    [
        "password",
        "Password",
        "pwd",
        "PWD",
        "passwd",
        "sslpassword",
        "token",
        "access_token",
        "key",
        "api_key",
        "secret",
        "client_secret",
        "SharedAccessKey",
        "sas_token",
        "sig",
        "credential",
    ]
)


def gone(masked: str) -> bool:
    return FIRST not in masked and LAST not in masked


@given(RAW)
def test_a_password_in_the_userinfo_is_gone_even_unencoded(secret: str) -> None:
    """Blanks, @, /, ? and # inside it do not end it early."""
    masked = mask_url(
        f"postgresql+psycopg://reader:{secret}@db.met.example:5432/isb?sslmode=require"
    )
    assert gone(masked)
    assert masked == f"postgresql+psycopg://reader:{MASK}@db.met.example:5432/isb?sslmode=require"


@given(RAW, NAMES)
def test_a_secret_parameter_is_gone(secret: str, name: str) -> None:
    """Other parameters stay readable."""
    masked = mask_url(f"mysql://h/db?charset=utf8&{name}={quote_plus(secret)}&ssl=1")
    assert masked == f"mysql://h/db?charset=utf8&{name}={MASK}&ssl=1"


@given(RAW.map(lambda secret: "{" + secret.replace("}", "}}") + "}"))
def test_a_password_in_an_odbc_string_is_gone(secret: str) -> None:
    """Alone, and encoded as a parameter."""
    odbc = f"DRIVER={{ODBC Driver 18}};SERVER=db;UID=reader;PWD={secret};Encrypt=yes"
    hidden = f"DRIVER={{ODBC Driver 18}};SERVER=db;UID=reader;PWD={MASK};Encrypt=yes"
    assert mask_url(odbc) == hidden
    assert gone(mask_url(f"mssql+pyodbc:///?odbc_connect={quote_plus(odbc)}"))


@given(ANY.map(lambda t: FIRST + t.replace(";", "").replace("=", "") + LAST))
def test_an_unquoted_odbc_password_is_gone(secret: str) -> None:
    """It may hold blanks; it ends at the semicolon."""
    assert gone(mask_url(f"DSN=isb;UID=reader;PWD={secret};Encrypt=yes"))


@given(RAW)
def test_a_quoted_libpq_password_is_gone(secret: str) -> None:
    """`host=… password='…'`."""
    written = secret.replace("\\", "\\\\").replace("'", "\\'")
    assert gone(mask_url(f"host=db password='{written}' dbname=isb"))


@given(ANY, RAW, ANY)
def test_masking_twice_changes_nothing(before: str, secret: str, after: str) -> None:
    """Whatever surrounds it."""
    once = mask_url(f"{before} amqp://isb:{quote(secret, safe='')}@metip/x {after}")
    assert mask_url(once) == once


@given(RAW)
def test_a_url_inside_a_sentence_is_masked(secret: str) -> None:
    """Messages of drivers quote the URL they were given."""
    url = f"amqp://isb:{quote(secret, safe='')}@metip:5671/prod"
    masked = mask_url(f"could not reach '{url}': connection refused")
    assert masked == f"could not reach 'amqp://isb:{MASK}@metip:5671/prod': connection refused"


@given(RAW)
def test_a_url_inside_a_parameter_is_masked(secret: str) -> None:
    """A proxy has a password of its own."""
    proxy = quote_plus(f"http://me:{quote(secret, safe='')}@proxy:3128")
    assert gone(mask_url(f"https://metip/?proxy={proxy}"))


@given(ANY)
def test_masking_never_fails(text: str) -> None:
    """Any text at all."""
    mask_url(text)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/isb/isb.db",
        "postgresql://reader@db/isb?sslmode=verify-full&sslkey=/etc/isb/client.key",
        "oracle+oracledb://db:1521/?service_name=ISB",
        "amqps://isb:@metip/prod",
        "${ISB_URL}",
        "/srv/spool",
    ],
)
def test_what_holds_no_secret_stays_as_it_is(url: str) -> None:
    """Hosts, users, files and references are for reading."""
    assert mask_url(url) == url
    assert url_secrets(url) == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nats://s3cr3t@bus:4222", "nats://***@bus:4222"),
        (
            "jdbc:sqlserver://db:1433;user=isb;password=x",
            "jdbc:sqlserver://db:1433;user=isb;password=***",
        ),
        ("https://h/?p%61ssword=x&a=1", "https://h/?p%61ssword=***&a=1"),
        ("nats://u:p@one:4222,nats://u:q@two:4222", "nats://u:***@two:4222"),
        ("postgresql://u:${PW}@h/db", "postgresql://u:***@h/db"),
    ],
)
def test_forms_of_connection_strings(text: str, masked: str) -> None:
    """Where a text can be read in two ways, the one that hides more wins."""
    assert mask_url(text) == masked


def test_secrets_are_listed_as_written() -> None:
    """In the order in which they stand."""
    url = "postgresql://u:${PW}@h/db?sslpassword=a%20b&x=1"
    assert url_secrets(url) == ["${PW}", "a%20b"]


@pytest.mark.parametrize("name", ["user", "keyfile", "ssl_key", "SharedAccessKeyName", "passfile"])
def test_names_of_files_and_users_are_no_secrets(name: str) -> None:
    """Only what holds the secret itself is hidden."""
    assert not is_secret_name(name)
