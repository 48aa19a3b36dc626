"""Rows with named columns, read from files and pipes in chunks, and written again.

A file is decompressed (`compression`), decoded (`text_file`) and parsed by the reader of its
format, which holds one chunk of rows in memory, so that a file may be larger than memory. Rows are
counted from 1, after the header; errors name the file, the row and the column.
"""

from sktextcnn._cli.rows.chunks import Chunk as Chunk
from sktextcnn._cli.rows.formats import DELIMITERS as DELIMITERS
from sktextcnn._cli.rows.formats import FORMATS as FORMATS
from sktextcnn._cli.rows.formats import OUTPUT_FORMATS as OUTPUT_FORMATS
from sktextcnn._cli.rows.formats import ReadOptions as ReadOptions
from sktextcnn._cli.rows.formats import format_of_path as format_of_path
from sktextcnn._cli.rows.json_rows import json_line as json_line
from sktextcnn._cli.rows.opening import open_output as open_output
from sktextcnn._cli.rows.opening import open_reader as open_reader
from sktextcnn._cli.rows.opening import open_writer as open_writer
from sktextcnn._cli.rows.reader import RowReader as RowReader
