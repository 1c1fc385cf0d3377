"""What JetStream is asked on its API, and how it answers.

Source: docs.nats.io/reference/reference-protocols/nats_api_reference.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loaders.jetstream.options import Access
from loaders.jetstream.wire import Connection, WireError

NO_STREAM, NO_MESSAGE, NO_CONSUMER = 10059, 10037, 10014


class ApiError(Exception):
    """JetStream refused a request; `code` is its own, 0 where nobody answered."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as it is there: its configuration and state, and when it was created."""

    name: str
    config: Mapping[str, Any]
    state: Mapping[str, Any]
    created: str

    @property
    def first(self) -> int:
        """The sequence of its first message; one above the last where it is empty."""
        return int(self.state["first_seq"])

    @property
    def last(self) -> int:
        """The sequence given last, whether or not that message is still there."""
        return int(self.state["last_seq"])


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable consumer. `filters`: the subjects it takes, none for all; `waiting`: messages that
    it has not been given, or has not acknowledged."""

    name: str
    filters: tuple[str, ...]
    waiting: int


class Api:
    """The JetStream API over one connection. Raises ApiError and WireError."""

    def __init__(self, connection: Connection, access: Access) -> None:
        self._connection, self._prefix = connection, access.api

    def subject(self, words: str) -> str:
        """The full subject of a request."""
        return f"{self._prefix}{words}"

    def stream(self, name: str, *, deleted: bool = False) -> Stream | None:
        """A stream, None where there is no such; `deleted`: with the sequences that are gone."""
        try:
            answer = self.ask(f"STREAM.INFO.{name}", {"deleted_details": True} if deleted else None)
        except ApiError as error:
            if error.code == NO_STREAM:
                return None
            raise
        return Stream(name, answer["config"], answer["state"], str(answer["created"]))

    def names(self, subject: str) -> Iterator[str]:
        """Every stream that takes something of a subject, wildcards and all."""
        offset, total = 0, 1
        while offset < total:
            answer = self.ask("STREAM.NAMES", {"offset": offset, "subject": subject})
            found = answer.get("streams") or []
            yield from found
            if not found:
                return
            offset, total = offset + len(found), int(answer["total"])

    def consumers(self, stream: str) -> list[Consumer]:
        """Every consumer of a stream that outlives its client (`durable_name`)."""
        told: list[dict[str, Any]] = []
        total = 1
        while len(told) < total:
            answer = self.ask(f"CONSUMER.LIST.{stream}", {"offset": len(told)})
            found = answer.get("consumers") or []
            if not found:
                break
            told += found
            total = int(answer["total"])
        return [_consumer(one) for one in told if one["config"].get("durable_name")]

    def message(self, stream: str, sequence: int) -> tuple[str, bytes, bytes] | None:
        """Subject, headers as written, and body of one message; None where it is gone."""
        try:
            answer = self.ask(f"STREAM.MSG.GET.{stream}", {"seq": sequence})
        except ApiError as error:
            if error.code == NO_MESSAGE:
                return None
            raise
        found = answer["message"]
        parts = (base64.b64decode(found.get(name) or "") for name in ("hdrs", "data"))
        return (str(found["subject"]), *parts)  # type: ignore[return-value]

    def next_sequence(self, stream: str, sequence: int) -> int | None:
        """The first sequence from this one on that is still there."""
        try:
            wanted = {"seq": sequence, "next_by_subj": ">"}
            return int(self.ask(f"STREAM.MSG.GET.{stream}", wanted)["message"]["seq"])
        except ApiError as error:
            if error.code == NO_MESSAGE:
                return None
            raise

    def ask(self, words: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request and its answer."""
        payload = b"" if content is None else json.dumps(content).encode()
        answer = self._connection.request(self.subject(words), payload)
        if not answer.body and answer.headers.startswith(b"NATS/1.0 503"):
            raise ApiError(0, "JetStream is not on, or not for this account")
        try:
            parsed = json.loads(answer.body)
            error = parsed.get("error")
        except (ValueError, AttributeError):
            raise WireError("what answers is no JetStream") from None
        if error:
            raise ApiError(int(error.get("err_code", 0)), str(error.get("description", "refused")))
        found: dict[str, Any] = parsed
        return found


def _consumer(told: Mapping[str, Any]) -> Consumer:
    config = told["config"]
    filters = config.get("filter_subjects") or [config.get("filter_subject")]
    waiting = int(told.get("num_pending", 0)) + int(told.get("num_ack_pending", 0))
    return Consumer(str(config["durable_name"]), tuple(one for one in filters if one), waiting)
