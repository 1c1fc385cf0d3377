"""Control totals, each with a command that anybody can run against the folder.

The commands use find, sort, sha256sum and Python's standard library, nothing of
this tool, so that counting again with them is counting by other means.
"""

import shlex
from collections.abc import Sequence

from extractors.files import globs
from extractors.files.charset import DETECT, declared_charset
from extractors.files.cutters import is_document
from extractors.files.recount import SCRIPTS
from extractors.files.survey import FileFacts
from extractors.files.view import width_of
from extractors.files.walk import Folder
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Control
