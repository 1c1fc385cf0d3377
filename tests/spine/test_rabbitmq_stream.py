"""A real run onto RabbitMQ streams: what a consumer written with rstream finds there."""

from pathlib import Path

import pytest

from tests import stream_broker
from tests.spine.buses import check_agrees, check_received, estate_on, run_on
from tests.spine.rabbitmq_consumers import received_of_streams

BUS = '[bus.metip]\nkind = "rabbitmq-stream"\nurl = "${ISB_TEST_STREAMS}"'

pytestmark = pytest.mark.service


def test_rabbitmq_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call of the same run delivers nothing twice."""
    server = stream_broker.shared()
    with server.vhost() as vhost:
        monkeypatch.setenv("ISB_TEST_STREAMS", server.url(vhost))
        ran = run_on(estate_on(tmp_path, BUS))
        check_agrees(ran)
        assert run_on(ran).code == 0
        check_received(ran, list(received_of_streams(server, vhost)))
