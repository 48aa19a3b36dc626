"""Fitted state as plain data: values as JSON, the file format of models, versions."""

from sktextcnn._state.atomic import atomic_write as atomic_write
from sktextcnn._state.fitted_state import StoredEstimator as StoredEstimator
from sktextcnn._state.model_container import Container as Container
from sktextcnn._state.model_container import ContainerWriter as ContainerWriter
from sktextcnn._state.model_container import is_container as is_container
from sktextcnn._state.plain import NotPlainError as NotPlainError
from sktextcnn._state.plain import from_plain as from_plain
from sktextcnn._state.plain import to_plain as to_plain
from sktextcnn._state.version_check import check_versions as check_versions
from sktextcnn._state.version_check import versions as versions
