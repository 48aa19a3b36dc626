"""From texts to token ids: analyzers, tokenizers, encoders, and the positions of tokens."""

from sktextcnn._text.analyzer import TOKEN_PATTERN as TOKEN_PATTERN
from sktextcnn._text.analyzer import Analyzer as Analyzer
from sktextcnn._text.analyzer import build_analyzer as build_analyzer
from sktextcnn._text.analyzer import describe_analyzer as describe_analyzer
from sktextcnn._text.analyzer import tokenize as tokenize
from sktextcnn._text.counting import TokenCounts as TokenCounts
from sktextcnn._text.documents import DecodedDocuments as DecodedDocuments
from sktextcnn._text.documents import Documents as Documents
from sktextcnn._text.documents import choose_length as choose_length
from sktextcnn._text.encoders import CachedEncoder as CachedEncoder
from sktextcnn._text.id_storage import IdsInFile as IdsInFile
from sktextcnn._text.offsets import Token as Token
from sktextcnn._text.offsets import token_finder as token_finder
from sktextcnn._text.padded import Ids as Ids
from sktextcnn._text.padded import PaddedDocuments as PaddedDocuments
from sktextcnn._text.separation import warn_of_tokens as warn_of_tokens
from sktextcnn._text.texts import read_texts as read_texts
from sktextcnn._text.tokenizers import NLTK_TOKENIZERS as NLTK_TOKENIZERS
