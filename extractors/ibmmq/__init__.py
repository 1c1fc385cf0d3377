"""Dumps of IBM MQ queues: dmpmqmsg (qload) files, and what the sample amqsbcg prints."""

from extractors.ibmmq.store import IbmMqDumpStore

__all__ = ["IbmMqDumpStore"]
