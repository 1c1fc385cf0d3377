"""Exports of Apache ActiveMQ Artemis as a legacy store."""

from typing import ClassVar

from extractors.artemis.about import ABOUT
from extractors.artemis.cut import parse
from extractors.artemis.totals import totals
from extractors.exports import ExportStore, Format
from migrate.core.flow import TimeSpec

_MILLISECONDS = TimeSpec("epoch_ms", never=("0", "-1"))


class ArtemisExportStore(ExportStore):
    """XML files of `artemis data exp` (or `artemis consumer --data`); see ExportStore.

    A unit is a message in one of the queues it is routed to; its id is
    `<message id>@<queue>`. A message that names no queue belongs to the queue called
    like its file.
    """

    about = ABOUT

    form: ClassVar[Format] = Format(
        parse=parse,
        times={"created_at": _MILLISECONDS, "expires_at": _MILLISECONDS},
        named_by_file=False,
        totals=totals,
        advice="export again",
    )
