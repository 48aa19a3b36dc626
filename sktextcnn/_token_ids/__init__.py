"""Token ids that carry the words and vectors which they refer to."""

from sktextcnn._token_ids.ids import TokenIds as TokenIds
from sktextcnn._token_ids.ids import _rebuild as _rebuild  # pickles know it by this name
from sktextcnn._token_ids.ids import lost_table as lost_table
from sktextcnn._token_ids.rows import foreign_columns as foreign_columns
from sktextcnn._token_ids.rows import table_of_rows as table_of_rows
from sktextcnn._token_ids.rows import table_of_some_rows as table_of_some_rows
from sktextcnn._token_ids.table import PADDING_ID as PADDING_ID
from sktextcnn._token_ids.table import RESERVED_WORDS as RESERVED_WORDS
from sktextcnn._token_ids.table import UNKNOWN_ID as UNKNOWN_ID
from sktextcnn._token_ids.table import TokenTable as TokenTable
from sktextcnn._token_ids.table import words_as_json as words_as_json
