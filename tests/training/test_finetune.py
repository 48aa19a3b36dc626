"""How word vectors are trained, and what goes on from one training to the next."""

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sktextcnn import TextCNNClassifier, TextVectorizer

# Of the network alone; tests/wide has trainings of both parts.
SMALL = {"num_filters": 6, "wide": False, "random_state": 0, "token_dropout": 0.0}


class Recorder(Callback):
    """Keeps a copy of the weights behind each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.states_ = [self._copy(net)]

    def on_epoch_end(self, net, **kwargs):
        self.states_.append(self._copy(net))

    def _copy(self, net):
        return {name: value.clone() for name, value in net.module_.state_dict().items()}


def changes(classifier):
    """The parts of the network that each epoch changed."""
    recorder = next(step for _, step in classifier.net_.callbacks_ if isinstance(step, Recorder))
    return [
        {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
        for before, after in zip(recorder.states_, recorder.states_[1:], strict=False)
    ]


def weights(classifier, part=""):
    state = classifier.net_.module_.state_dict()
    return {name: value.clone() for name, value in state.items() if name.startswith(part)}


@pytest.fixture(scope="module")
def data(two_classes, vectors_file):
    texts, labels = two_classes
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0)
    return vectorizer.fit_transform(texts), labels


EVERYTHING = {"embedding", "convs", "head"}


@pytest.mark.parametrize(
    ("finetune", "expected"),
    [
        (False, [EVERYTHING - {"embedding"}] * 4),
        (True, [EVERYTHING] * 4),
        (1, [EVERYTHING - {"embedding"}] + [EVERYTHING] * 3),
        (np.int64(3), [EVERYTHING - {"embedding"}] * 3 + [EVERYTHING]),
        ("gradual", [{"head"}, {"head", "convs"}, EVERYTHING, EVERYTHING]),
        ("multichannel", [EVERYTHING] * 4),
    ],
)
def test_each_mode_trains_its_parts_in_its_epochs(data, finetune, expected):
    X, y = data
    classifier = TextCNNClassifier(
        finetune=finetune, max_epochs=4, callbacks=[Recorder()], **SMALL
    ).fit(X, y)
    assert changes(classifier) == expected


def test_frozen_vectors_are_bitwise_those_of_the_table(data):
    X, y = data
    classifier = TextCNNClassifier(finetune=False, max_epochs=2, **SMALL).fit(X, y)
    np.testing.assert_array_equal(
        classifier.net_.module_.embedding.weight.numpy(force=True), X.table.vectors
    )


def test_multichannel_keeps_one_channel_and_trains_the_other(data):
    X, y = data
    classifier = TextCNNClassifier(finetune="multichannel", max_epochs=2, **SMALL).fit(X, y)
    embedding = classifier.net_.module_.embedding
    np.testing.assert_array_equal(embedding.static.numpy(), X.table.vectors)
    assert not np.array_equal(embedding.weight.numpy(force=True), X.table.vectors)


def test_padding_has_the_zero_vector_after_training(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, weight_decay=0.1, **SMALL).fit(X, y)
    assert not classifier.net_.module_.embedding.weight[0].any()


@pytest.mark.parametrize("finetune", [False, True, "multichannel"])
def test_words_that_the_texts_lack_change_nothing_of_the_training(
    two_classes, vectors_file, finetune
):
    texts, labels = two_classes
    with_them, without = (
        make_pipeline(
            TextVectorizer(embeddings=vectors_file, unseen_words=n, random_state=0),
            TextCNNClassifier(finetune=finetune, max_epochs=2, **SMALL),
        ).fit(texts[:100], labels[:100])
        for n in (50_000, 0)
    )
    n_seen = len(without[-1].words_)
    for name, value in weights(without[-1]).items():
        found = weights(with_them[-1])[name]
        assert torch.equal(found[:n_seen] if name.startswith("embedding") else found, value)
    vectors = torch.tensor(with_them[0].embedding_matrix_[n_seen:])
    assert len(vectors) > 500
    for name, value in weights(with_them[-1], "embedding").items():
        assert torch.equal(value[n_seen:], vectors), name
    np.testing.assert_array_equal(
        with_them.predict_proba(texts[:100]), without.predict_proba(texts[:100])
    )
    lacking = [texts[i] for i in range(100, len(texts)) if 1 in without[0].transform([texts[i]])]
    differs = with_them.predict_proba(lacking) != without.predict_proba(lacking)
    assert differs.any(axis=1).mean() > 0.5


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"finetune": True}, {1e-2}),
        ({"finetune": True, "finetune_lr": 1e-4}, {1e-2, 1e-4}),
        ({"finetune": 1}, {1e-2}),
        ({"finetune": 1, "finetune_lr": 1e-3}, {1e-2, 1e-3}),
        ({"finetune": "gradual"}, {1e-2}),
        ({"finetune": "gradual", "finetune_lr": 1e-4}, {1e-2, 1e-3, 1e-4}),
    ],
)
def test_vectors_have_their_own_learning_rate(data, params, expected):
    X, y = data
    classifier = TextCNNClassifier(learning_rate=1e-2, max_epochs=2, **params, **SMALL).fit(X, y)
    rates = {round(group["lr"], 9) for group in classifier.net_.optimizer_.param_groups}
    assert rates == expected


def test_two_stages_carry_the_convolutions_over_and_then_tune_the_vectors(
    two_classes, vectors_file
):
    texts, labels = two_classes
    model = make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(finetune=False, max_epochs=3, **SMALL),
    ).fit(texts, labels)
    classifier = model[-1]
    stage_one = weights(classifier)
    table = model[0].embedding_matrix_
    np.testing.assert_array_equal(stage_one["embedding.weight"].numpy(), table)

    model.set_params(
        textcnnclassifier__warm_start=True,
        textcnnclassifier__finetune=True,
        textcnnclassifier__learning_rate=1e-4,
        textcnnclassifier__max_epochs=1,
        textcnnclassifier__callbacks=[Recorder()],
    ).fit(texts, labels)
    recorder = next(s for _, s in classifier.net_.callbacks_ if isinstance(s, Recorder))
    for name, value in recorder.states_[0].items():
        assert torch.equal(value, stage_one[name]), name
    assert changes(classifier) == [EVERYTHING]
    # Adam's first steps are at most the learning rate each.
    moved = (weights(classifier)["convs.0.weight"] - stage_one["convs.0.weight"]).abs().max()
    n_steps = -(-len(texts) // classifier.batch_size)
    assert 0 < moved <= 1e-4 * n_steps * 1.01


def test_warm_start_matches_rows_by_word_after_the_vectorizer_was_refitted(two_classes):
    texts, labels = two_classes
    vectorizer = TextVectorizer()
    classifier = TextCNNClassifier(warm_start=True, max_epochs=2, **SMALL)
    classifier.fit(vectorizer.fit_transform(texts[:150]), labels[:150])
    rows = dict(zip(classifier.words_, weights(classifier)["embedding.weight"], strict=True))
    head = weights(classifier, "head")

    X = vectorizer.fit_transform(texts[100:])
    classifier.set_params(callbacks=[Recorder()]).fit(X, labels[100:])
    recorder = next(s for _, s in classifier.net_.callbacks_ if isinstance(s, Recorder))
    start = recorder.states_[0]
    n_known = n_moved = 0
    for id_, word in enumerate(classifier.words_):
        if word in rows:
            n_known += 1
            n_moved += list(rows).index(word) != id_
            assert torch.equal(start["embedding.weight"][id_], rows[word]), word
    assert n_known > 50
    assert n_moved > 50
    for name, value in head.items():
        assert torch.equal(start[name], value)


def test_without_warm_start_nothing_is_carried_over(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, **SMALL)
    first = classifier.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(classifier.fit(X, y).predict_proba(X), first)
    warm = clone(classifier).set_params(warm_start=True)
    np.testing.assert_array_equal(warm.fit(X, y).predict_proba(X), first)
    assert not np.array_equal(warm.fit(X, y).predict_proba(X), first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_filters": 7}, "warm_start: .*num_filters"),
        ({"kernel_sizes": (2, 3)}, "warm_start: .*kernel_sizes"),
        ({"architecture": "stacked"}, "warm_start: .*architecture"),
        ({"finetune": "multichannel"}, "finetune must be 'multichannel' in both or in neither"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_warm_start_of_another_network_says_which_parameter_differs(data, change, message):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=1, warm_start=True, **SMALL).fit(X, y)
    before = classifier.predict_proba(X)
    classifier.set_params(**change)
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


@pytest.fixture(scope="module")
def source(corpus, vectors_file):
    """A model of five libraries."""
    texts, labels = corpus
    return make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(max_epochs=3, **SMALL),
    ).fit(texts, labels)


@pytest.mark.parametrize("kind", ["path", "frozen", "frozen classifier", "frozen search"])
def test_pretrained_starts_from_the_rows_and_convolutions_of_another_model(
    source, two_classes, tmp_path, kind
):
    texts, labels = two_classes
    pretrained = {
        "path": tmp_path / "source.joblib",
        "frozen": FrozenEstimator(source),
        "frozen classifier": FrozenEstimator(source[-1]),
    }
    joblib.dump(source, pretrained["path"])
    if kind == "frozen search":
        search = GridSearchCV(source, {"textcnnclassifier__max_epochs": [1]}, cv=2)
        search.best_estimator_ = source
        pretrained[kind] = FrozenEstimator(search)
    X = TextVectorizer(random_state=0).fit_transform(texts[:100])
    classifier = TextCNNClassifier(
        pretrained=pretrained[kind], max_epochs=1, callbacks=[Recorder()], **SMALL
    )
    classifier = clone(classifier).fit(X, labels[:100])
    assert classifier.embedding_source_ == "pretrained"
    recorder = next(s for _, s in classifier.net_.callbacks_ if isinstance(s, Recorder))
    start, origin = recorder.states_[0], weights(source[-1])
    for name in start:
        if name.startswith("convs"):
            assert torch.equal(start[name], origin[name])
    row_of = {word: row for row, word in enumerate(source[-1].words_)}
    for id_, word in enumerate(classifier.words_):
        if word in row_of:
            expected = origin["embedding.weight"][row_of[word]]
            assert torch.equal(start["embedding.weight"][id_], expected)
    assert start["head.1.weight"].shape[0] == 2


def test_a_pretrained_model_is_left_as_it_was(source, two_classes):
    texts, labels = two_classes
    before = weights(source[-1])
    X = source[0].transform(texts)
    TextCNNClassifier(pretrained=FrozenEstimator(source), max_epochs=1, **SMALL).fit(X, labels)
    for name, value in weights(source[-1]).items():
        assert torch.equal(value, before[name])


def test_pretrained_ids_without_words_cannot_be_matched(source):
    X = np.random.default_rng(0).integers(2, 9, (20, 5))
    classifier = TextCNNClassifier(pretrained=FrozenEstimator(source), **SMALL)
    with pytest.raises(
        ValueError, match="pretrained: words must be matched, but X has ids without"
    ):
        classifier.fit(X, [0, 1] * 10)


def test_embedding_source_says_where_the_vectors_are_from(data, vectors_file):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=1, **SMALL)
    assert classifier.fit(X, y).embedding_source_ == "docstrings.txt"
    X = TextVectorizer().fit_transform(["a b", "b c"])
    assert classifier.fit(np.asarray(X), [0, 1]).embedding_source_ == "random"


def test_the_defaults_of_random_vectors_are_others_than_those_of_given_ones(data, two_classes):
    X, y = data
    X_random = TextVectorizer().fit_transform(two_classes[0])
    params = {**SMALL, "token_dropout": None, "max_epochs": 1}

    def of(classifier):
        embedding = classifier.net_.module_.embedding
        return embedding.embedding_dim, embedding.token_dropout

    random = TextCNNClassifier(warm_start=True, **params).fit(X_random, y)
    assert of(random) == (300, 0.1)
    assert of(random.fit(X_random, y)) == (300, 0.1)
    given = TextCNNClassifier(**params).fit(X, y)
    assert of(given) == (X.table.vectors.shape[1], 0.2)
    # Rows that come from another model are as random as that one's.
    for source, expected in ((given, 0.2), (random, 0.1)):
        classifier = TextCNNClassifier(pretrained=FrozenEstimator(source), **params)
        assert of(classifier.fit(X_random, y))[1] == expected
    assert of(clone(given).set_params(token_dropout=0.0).fit(X, y))[1] == 0


def test_random_vectors_have_kims_range_and_the_width_asked_for(data):
    _, y = data
    X = TextVectorizer().fit_transform([f"word{i} x" for i in range(len(y))])
    classifier = TextCNNClassifier(embedding_dim=7, max_epochs=1, learning_rate=1e-9, **SMALL)
    rows = classifier.fit(X, y).net_.module_.embedding.weight.numpy(force=True)
    assert rows.shape == (len(X.table), 7)
    assert 0.24 < np.abs(rows).max() <= 0.2501
    np.testing.assert_array_equal(rows[0], 0)
