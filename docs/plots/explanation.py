"""The strongest n-grams of a text, drawn."""

from sklearn.pipeline import make_pipeline

from sktextcnn import ExplanationDisplay, TextCNNClassifier, TextVectorizer

texts = ["a gem", "so dull", "a witty gem", "a dull, dull film", "no gem", "not dull"] * 5
labels = ["good", "bad", "good", "bad", "bad", "good"] * 5
model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0)).fit(texts, labels)
ExplanationDisplay.from_estimator(model, "It is no GEM.", label="bad")
