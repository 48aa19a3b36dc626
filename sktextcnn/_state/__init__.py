"""Fitted state as plain data: values as JSON, files that are whole, versions."""

from sktextcnn._state.atomic import atomic_write as atomic_write
from sktextcnn._state.plain import NotPlainError as NotPlainError
from sktextcnn._state.plain import from_plain as from_plain
from sktextcnn._state.plain import to_plain as to_plain
from sktextcnn._state.version_check import check_versions as check_versions
from sktextcnn._state.version_check import versions as versions
