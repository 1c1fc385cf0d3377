"""References are resolved in connections, and nowhere else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.plan.expand import Expander, Unresolved, literal_secrets, settle

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,10}", fullmatch=True).filter(lambda n: n != "PLAN_DIR")
VALUES = st.text(st.characters(exclude_characters="${}", exclude_categories=("Cs",)), min_size=1)


@given(NAMES, VALUES)
def test_a_whole_value_is_taken_as_it_is(name: str, value: str) -> None:
    """Nothing in a variable's value is interpreted."""
    assert Expander(Path("/p"), {name: value}).expand(f"${{{name}}}") == value


@given(VALUES)
def test_a_value_is_not_expanded_again(value: str) -> None:
    """A password may look like a reference."""
    environ = {"A": value + "${B}", "B": "b"}
    assert Expander(Path("/p"), environ).expand("${A}") == value + "${B}"


def test_the_plans_folder_cannot_be_overridden() -> None:
    """`PLAN_DIR` in the environment means nothing."""
    expander = Expander(Path("/plan"), {"PLAN_DIR": "/elsewhere"})
    assert expander.expand("${PLAN_DIR}/spool") == "/plan/spool"


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """As a whole value or inside a URL, without the last line end."""
    (tmp_path / "url").write_text("amqp://isb:a%40b@metip/\n")
    (tmp_path / "pw").write_text("a%40b\r\n")
    expander = Expander(tmp_path, {})
    assert expander.expand("file:url") == "amqp://isb:a%40b@metip/"
    assert expander.expand(f"file:{tmp_path}/url") == "amqp://isb:a%40b@metip/"
    assert expander.expand("amqp://isb:${file:pw}@metip/") == "amqp://isb:a%40b@metip/"


@given(st.sampled_from("@/?#& "), VALUES)
def test_a_secret_that_would_end_early_is_refused_without_being_told(end: str, value: str) -> None:
    """Only where it stands inside a URL."""
    secret = f"Sq7{value}{end}Xk3"
    expander = Expander(Path("/p"), {"PW": secret})
    with pytest.raises(Unresolved) as caught:
        expander.expand("amqp://isb:${PW}@metip/")
    assert "Sq7" not in caught.value.message and "Xk3" not in caught.value.message
    assert expander.expand("${PW}") == secret


@pytest.mark.parametrize(
    ("kind", "url", "settled"),
    [
        ("sql", "sqlite:///isb.db", "sqlite:////plan/isb.db"),
        ("sql", "sqlite:///data/isb.db?timeout=5", "sqlite:////plan/data/isb.db?timeout=5"),
        ("sql", "sqlite+pysqlite:///isb.db", "sqlite+pysqlite:////plan/isb.db"),
        ("sql", "sqlite:////srv/isb.db", "sqlite:////srv/isb.db"),
        ("sql", "sqlite:///:memory:", "sqlite:///:memory:"),
        ("sql", "sqlite://", "sqlite://"),
        ("sql", "postgresql://db/isb", "postgresql://db/isb"),
        ("files", "spool", "/plan/spool"),
        ("files", "/srv/spool", "/srv/spool"),
        ("files", "file:///srv/spool", "/srv/spool"),
        ("files", ".", "/plan"),
        ("other", "amqp://metip/", "amqp://metip/"),
    ],
)
def test_relative_places_start_at_the_plan(kind: str, url: str, settled: str) -> None:
    """A plan means the same from any working folder."""
    assert settle(kind, url, Path("/plan")) == settled


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("postgresql://u:${PW}@h/db", False),
        ("postgresql://u:${A}${B}@h/db", False),
        ("postgresql://u:${file:pw}@h/db?sslpassword=${PW}", False),
        ("postgresql://u@h/db", False),
        ("${URL}", False),
        ("postgresql://u:x${PW}@h/db", True),
        ("postgresql://u:${PW}@h/db?sslpassword=x", True),
        ("Driver={x};PWD=y", True),
    ],
)
def test_plain_secrets_are_seen(url: str, literal: bool) -> None:
    """A secret is a reference from end to end, or it is in plain text."""
    assert literal_secrets(url) is literal
