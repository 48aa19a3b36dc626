"""From texts to token ids: analyzers, tokenizers, documents, and where tokens lie."""

from sktextcnn._text.analyzer import TOKEN_PATTERN as TOKEN_PATTERN
from sktextcnn._text.analyzer import Analyzer as Analyzer
from sktextcnn._text.analyzer import build_analyzer as build_analyzer
from sktextcnn._text.analyzer import describe_analyzer as describe_analyzer
from sktextcnn._text.analyzer import tokens_of as tokens_of
from sktextcnn._text.documents import Documents as Documents
from sktextcnn._text.documents import KnownReader as KnownReader
from sktextcnn._text.documents import WordsOf as WordsOf
from sktextcnn._text.documents import choose_length as choose_length
from sktextcnn._text.documents import tokenize as tokenize
from sktextcnn._text.offsets import Token as Token
from sktextcnn._text.offsets import token_finder as token_finder
from sktextcnn._text.texts import read_texts as read_texts
from sktextcnn._text.tokenizers import NLTK_TOKENIZERS as NLTK_TOKENIZERS
