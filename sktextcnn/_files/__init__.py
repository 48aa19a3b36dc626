"""Files of whole models: ``save`` and ``load``, and the export to ONNX."""

from sktextcnn._files.model_file import load as load
from sktextcnn._files.model_file import save as save
from sktextcnn._files.model_file import stored_versions as stored_versions
from sktextcnn._files.onnx_export import export_onnx as export_onnx
