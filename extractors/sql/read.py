"""Reading a source in pages by key, and what has no key in one ordered pass."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from extractors.sql.catalogue import Column
from extractors.sql.cells import Cells, joined
from extractors.sql.delivered import delivered_to
from extractors.sql.dialects.base import Form, KeyValue
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.keyset import Mark
from extractors.sql.scan import Scan, cells_of, forms_of
from extractors.sql.sessions import Session, Sessions
from extractors.sql.shape import Page, Shaper, content_digests
from extractors.sql.statement import Part, Sql, all_of
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec
from migrate.core.ports import Chunk, Population
