"""What goes wrong on the way to Kafka: nothing is falsely confirmed, lost or doubled.

On librdkafka's mock cluster, which answers with the errors it is told to and can be cut off; and
with processes and brokers that are killed.
"""

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import KafkaError, Producer

from loaders.kafka.observe import Observer
from loaders.kafka.provision import Provisioner
from loaders.kafka.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.schema import OBSERVED
from migrate.core.window import Window
from tests.loaders import kafka_broker
from tests.loaders.kafka_mock import DISCONNECT, END_TXN, PRODUCE, Mock, cluster
from tests.windows import Sent, publish, window

ROOT = Path(__file__).parents[2]
RAMPS = {"custody": OffRampSpec("custody", duplicates="message_id")}
PATIENCE = {"patience_s": "3"}
IDEMPOTENT = {**PATIENCE, "transactions": "false"}


@pytest.fixture
def mock() -> Iterator[Mock]:
    with cluster() as mock:
        yield mock


def bus(mock: Mock, options: Mapping[str, str] = PATIENCE) -> BusSpec:
    return mock.spec(("custody",), options)


def sent(number: int) -> Sent:
    name = f"{number:032x}"
    return Sent("custody", name, {"ce_id": name}, order_key=f"key-{number % 5}")


def publisher_on(spec: BusSpec) -> Any:
    return closing(Publisher(spec, RAMPS))


def attempt(spec: BusSpec, numbers: range) -> Receipts:
    with publisher_on(spec) as publisher:
        return publish(publisher, window([sent(number) for number in numbers]))


def seen(spec: BusSpec) -> list[int]:
    with closing(Observer(spec, RAMPS)) as observer:
        rows = pa.Table.from_batches(list(observer.observe({})), OBSERVED).to_pylist()
    return sorted(int(row["message_id"], 16) for row in rows)


def assert_not_confirmed(publisher: Publisher, lost: Window) -> None:
    """In doubt, or known not to be there: either way the run stops."""
    with suppress(BusRefused):
        publisher.send(lost)
        assert not any(publisher.receipts().confirmed)


def topic(spec: BusSpec) -> str:
    return dict(spec.options)["prefix"] + "custody.bulk"


@pytest.mark.parametrize("options", [PATIENCE, IDEMPOTENT], ids=["transactions", "idempotent"])
@pytest.mark.parametrize(
    "errors",
    [
        [KafkaError.NOT_ENOUGH_REPLICAS],
        [KafkaError.NOT_LEADER_FOR_PARTITION],
        [KafkaError.REQUEST_TIMED_OUT],
        [DISCONNECT],
        [DISCONNECT, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND],
    ],
    ids=lambda codes: "-".join(map(str, codes)),
)
def test_a_broker_that_falters_costs_time_and_nothing_else(
    mock: Mock, options: Mapping[str, str], errors: list[int]
) -> None:
    """The client asks again, and brokers drop what they have had. The mock cluster knows no
    sequence numbers: what it had before it cut us off, it may keep twice."""
    spec = bus(mock, options)
    mock.answer_with(PRODUCE, *errors)
    assert all(attempt(spec, range(20)).confirmed)
    arrived = seen(spec)
    if DISCONNECT in errors and options is IDEMPOTENT:
        arrived = sorted(set(arrived))
    assert arrived == list(range(20))


def test_what_a_broker_never_takes_is_not_confirmed(mock: Mock) -> None:
    """The transaction is taken back whole, and nothing of it is in doubt."""
    spec = bus(mock)
    mock.answer_with(PRODUCE, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    receipts = attempt(spec, range(20))
    assert list(receipts.confirmed) == [False] * 20
    assert set(receipts.problems.values()) == {
        "refused (TOPIC_AUTHORIZATION_FAILED)",
        "not committed with the rest of its window",
    }


def test_without_transactions_the_rest_of_a_window_stands(mock: Mock) -> None:
    """Every record for itself; what was refused is what is not there."""
    spec = bus(mock, IDEMPOTENT)
    mock.answer_with(PRODUCE, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    receipts = attempt(spec, range(20))
    there = [at for at, confirmed in enumerate(receipts.confirmed) if confirmed]
    assert len(there) < 20  # none, where one broker leads all partitions
    assert set(receipts.problems) == set(range(20)) - set(there)
    assert seen(spec) == there


@pytest.mark.parametrize(
    "errors",
    [
        [KafkaError.COORDINATOR_NOT_AVAILABLE],
        [KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR],
        [DISCONNECT],
    ],
    ids=lambda codes: "-".join(map(str, codes)),
)
def test_a_commit_that_has_to_be_asked_for_again(mock: Mock, errors: list[int]) -> None:
    """Ending a transaction twice ends it once."""
    spec = bus(mock)
    mock.answer_with(END_TXN, *errors)
    assert all(attempt(spec, range(20)).confirmed)
    assert seen(spec) == list(range(20))


@pytest.mark.parametrize(
    "error",
    [
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.INVALID_TXN_STATE,
    ],
)
def test_a_commit_that_is_refused_confirms_nothing(mock: Mock, error: int) -> None:
    """In doubt or taken back, but never confirmed."""
    spec = bus(mock)
    mock.answer_with(END_TXN, error)
    with publisher_on(spec) as publisher:
        assert_not_confirmed(publisher, window([sent(1)]))


@pytest.mark.parametrize("options", [PATIENCE, IDEMPOTENT], ids=["transactions", "idempotent"])
def test_a_cluster_that_is_cut_off_mid_run(mock: Mock, options: Mapping[str, str]) -> None:
    """Refused in time, nothing confirmed; once it is back the same windows go on."""
    spec = bus(mock, options)
    with publisher_on(spec) as publisher:
        assert all(publish(publisher, window([sent(number) for number in range(9)])).confirmed)
        lost = window([sent(number) for number in range(9, 20)])
        mark = publisher.mark(lost)
        mock.down()
        assert_not_confirmed(publisher, lost)
    with closing(Observer(spec, RAMPS)) as observer, pytest.raises(CouldNotVerify):
        list(observer.observe({}))
    mock.up()
    with publisher_on(spec) as publisher:
        answers = publisher.resolve(lost, mark, {})
        assert answers is None or not any(answers.confirmed)
        assert all(publish(publisher, lost).confirmed)
    assert seen(spec) == list(range(20))


def test_a_cluster_whose_process_is_killed(mock: Mock) -> None:
    """With everything it held: the run stops, and the witness does not take nothing for all."""
    spec = bus(mock)
    with publisher_on(spec) as publisher:
        assert all(publish(publisher, window([sent(1)])).confirmed)
        mock.kill()
        with pytest.raises(BusRefused):
            publish(publisher, window([sent(2)]))
    with pytest.raises(BusRefused):
        Publisher(spec, RAMPS)
    with pytest.raises(CouldNotVerify):
        seen(spec)


def test_a_topic_removed_mid_run_is_not_made_again(mock: Mock) -> None:
    """Not even on a cluster that makes topics when they are asked for, as this one does."""
    spec = bus(mock)
    with publisher_on(spec) as publisher:
        publish(publisher, window([sent(1)]))
        mock.delete(topic(spec))
        with pytest.raises(BusRefused, match="is not there"):
            publish(publisher, window([sent(2)]))
    with pytest.raises(CouldNotVerify, match="has no topic"):
        seen(spec)


def test_names_that_come_again_in_a_record(mock: Mock) -> None:
    """All values of a stranger's header are shown."""
    spec = bus(mock)
    producer = Producer({"bootstrap.servers": mock.servers, "log_level": 0})
    pairs = [("ce_id", b"a"), ("ce_id", b"b"), ("x", None)]
    producer.produce(topic(spec), b"", None, 0, headers=pairs)
    producer.flush()
    with closing(Observer(spec, RAMPS)) as observer:
        (row,) = pa.Table.from_batches(list(observer.observe({})), OBSERVED).to_pylist()
    assert (row["message_id"], row["headers"]) == (None, '{"ce_id":["a","b"],"x":null}')


@pytest.mark.service
@pytest.mark.parametrize("committed", [False, True])
def test_a_process_that_is_killed_around_its_commit(committed: bool) -> None:
    """Its successor knows which, by asking; either way everything is there once."""
    spec = kafka_broker.shared().spec()
    Provisioner(spec, RAMPS).provision()
    script = f"""
        import os, signal
        from loaders.kafka.write import Transactions
        from tests.loaders.test_kafka_failures import *
        from migrate.core.flow import BusSpec
        def die(self):
            {"Transactions._patiently(self, self._client.commit_transaction)" if committed else ""}
            os.kill(os.getpid(), signal.SIGKILL)
        Transactions._commit = die
        attempt({spec!r}, range(20))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, check=False)
    assert done.returncode == -9
    with publisher_on(spec) as publisher:
        doubtful = window([sent(number) for number in range(20)])
        answers = publisher.resolve(doubtful, None, {})
        assert answers is not None
        assert list(answers.confirmed) == [committed] * 20
        if not committed:
            assert all(publish(publisher, doubtful).confirmed)
    assert seen(spec) == list(range(20))


@pytest.mark.service
def test_a_broker_that_is_restarted_between_windows(tmp_path: Path) -> None:
    """The client finds it again, and its transactions go on."""
    with kafka_broker.own(tmp_path) as broker:
        spec = broker.spec()
        Provisioner(spec, RAMPS).provision()
        with publisher_on(spec) as publisher:
            assert all(publish(publisher, window([sent(number) for number in range(9)])).confirmed)
            broker.stop()
            broker.start()
            again = window([sent(number) for number in range(9, 20)])
            assert all(publish(publisher, again).confirmed)
        assert seen(spec) == list(range(20))


@pytest.mark.service
def test_a_broker_that_is_gone_under_a_window(tmp_path: Path) -> None:
    """Refused while it is away; what it has on disk afterwards decides what is published again."""
    with kafka_broker.own(tmp_path) as broker:
        spec = broker.spec(PATIENCE)
        Provisioner(spec, RAMPS).provision()
        with publisher_on(spec) as publisher:
            lost = window([sent(number) for number in range(20)])
            mark = publisher.mark(lost)
            broker.stop()
            assert_not_confirmed(publisher, lost)
        broker.start()
        with publisher_on(spec) as publisher:
            answers = publisher.resolve(lost, mark, {})
            assert answers is not None
            left = [at for at, there in enumerate(answers.confirmed) if not there]
            assert all(publish(publisher, lost.take(left)).confirmed)
        assert seen(spec) == list(range(20))
