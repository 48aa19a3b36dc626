"""What a fitted model has learned: explanations, n-grams, neighbours, displays."""

from sktextcnn._inspection.displays import ExplanationDisplay as ExplanationDisplay
from sktextcnn._inspection.displays import LearnedNGramsDisplay as LearnedNGramsDisplay
from sktextcnn._inspection.displays import TrainingHistoryDisplay as TrainingHistoryDisplay
from sktextcnn._inspection.explanation import Explanation as Explanation
from sktextcnn._inspection.explanation import explain as explain
from sktextcnn._inspection.learned import nearest_words as nearest_words
from sktextcnn._inspection.learned import top_filters as top_filters
from sktextcnn._inspection.learned import top_ngrams as top_ngrams
from sktextcnn._inspection.rendering import to_ansi as to_ansi
from sktextcnn._inspection.rendering import to_html as to_html
