"""What a plan says of RabbitMQ streams: what cannot be meant is refused, and no secret is told."""

import pytest

from loaders.rabbitmq_stream.settings import settings_of
from migrate.core.errors import UsageError
from migrate.core.flow import BusSpec, OffRampSpec

URL = "rabbitmq-stream://isb:hunter2@bus.example/met%2Fip"


def spec(url: str = URL, **options: str) -> BusSpec:
    return BusSpec("metip", "rabbitmq-stream", url, tuple(options.items()))


def test_a_stream_for_every_offramp_and_lane() -> None:
    """Without retention, unless the plan asks for some; an off-ramp's own outranks the bus's."""
    ramps = {"a": OffRampSpec("a"), "b": OffRampSpec("b", options=(("max_age", "1D"),))}
    found = settings_of(spec(max_age="7D", prefix="x."), ramps)
    assert (found.host, found.port, found.vhost, found.user) == (
        "bus.example",
        5552,
        "met/ip",
        "isb",
    )
    assert found.retention["x.a.bulk"] == {"max-age": "7D"}
    assert found.retention["x.b.express"] == {"max-age": "1D"}
    assert settings_of(spec(), ramps).retention["metip.a.standard"] == {}
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("amqp://isb:hunter2@bus", {}, "names no RabbitMQ streams"),
        ("rabbitmq-stream://isb:hunter2@bus:port", {}, "names no RabbitMQ streams"),
        (URL, {"prefx": "x"}, 'has no option "prefx"'),
        (URL, {"ca_file": "ca.pem"}, "of no use without TLS"),
        (URL, {"max_age": "a week"}, "options.max_age is no such value"),
        (URL, {"patience_s": "long"}, "options.patience_s"),
        (URL, {"management": "bus:15672"}, "option management"),
        (URL, {"prefix": "x" * 250}, "longer than 255 bytes"),
        (
            URL.replace("stream:", "stream+tls:"),
            {"ca_file": "/nowhere"},
            "ca_file cannot be loaded",
        ),
        (URL.replace("stream:", "stream+tls:"), {"key_file": "k"}, "needs options.cert_file"),
    ],
)
def test_what_cannot_be_meant_is_refused(url: str, options: dict[str, str], words: str) -> None:
    """With the key and a remedy, and without the password."""
    with pytest.raises(UsageError, match=words) as refused:
        settings_of(spec(url, **options), {"custody": OffRampSpec("custody")})
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


def test_an_offramp_has_its_own_options_only() -> None:
    """A slip of the pen is named."""
    ramps = {"custody": OffRampSpec("custody", options=(("max_ages", "7D"),))}
    with pytest.raises(UsageError, match='"max_ages"'):
        settings_of(spec(), ramps)
