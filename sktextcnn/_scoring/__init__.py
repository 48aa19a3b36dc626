"""Scoring of data frames: the models of a process, kinds of frames, and columns of predictions."""

from sktextcnn._scoring.frames import Frames as Frames
from sktextcnn._scoring.frames import frames_of as frames_of
from sktextcnn._scoring.loaded import ScoringModel as ScoringModel
from sktextcnn._scoring.loaded import loaded_model as loaded_model
from sktextcnn._scoring.outputs import Column as Column
from sktextcnn._scoring.outputs import OutputNames as OutputNames
from sktextcnn._scoring.outputs import output_columns as output_columns
from sktextcnn._scoring.schemas import empty_like as empty_like
from sktextcnn._scoring.schemas import is_of_spark as is_of_spark
from sktextcnn._scoring.schemas import spark_schema as spark_schema
