"""What a fitted model has learned: explanations, n-grams, neighbours, displays."""

from sktextcnn._inspection.displays import ExplanationDisplay as ExplanationDisplay
from sktextcnn._inspection.displays import LearnedNGramsDisplay as LearnedNGramsDisplay
from sktextcnn._inspection.displays import TrainingHistoryDisplay as TrainingHistoryDisplay
from sktextcnn._inspection.exact import has_exact_terms as has_exact_terms
from sktextcnn._inspection.explainer import explain as explain
from sktextcnn._inspection.explanation import Explanation as Explanation
from sktextcnn._inspection.neighbours import nearest_words as nearest_words
from sktextcnn._inspection.ngrams import NGram as NGram
from sktextcnn._inspection.ngrams import top_filters as top_filters
from sktextcnn._inspection.ngrams import top_ngrams as top_ngrams
from sktextcnn._inspection.rendering import percent as percent
