"""Dumps of IBM MQ queues as a legacy store."""

from typing import ClassVar

from extractors.exports import ExportStore, Format
from extractors.ibmmq.about import ABOUT
from extractors.ibmmq.dump import parse
from extractors.ibmmq.totals import totals
from migrate.core.flow import TimeSpec


class IbmMqDumpStore(ExportStore):
    """Files of dmpmqmsg (qload), or output of amqsbcg; see ExportStore.

    A unit is a message; its queue is the one that the dump's header names, else the file's
    path, and `from` may also be a glob of files. Its id is MsgId, in hexadecimal digits.
    """

    about = ABOUT

    form: ClassVar[Format] = Format(
        parse=parse,
        times={"created_at": TimeSpec("utc")},
        named_by_file=True,
        totals=totals,
        advice="dump them in hexadecimal, without -dt",
    )
