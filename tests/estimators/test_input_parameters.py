"""The values of parameters that TextCNNClassifier refuses or warns of."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.estimators.refusals import IDS, LABELS, assert_refused, small


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("architecture", value) for value in ("lstm", 3, None, nn.Linear(2, 2))),
        *(("kernel_sizes", value) for value in (3, "345")),
        *(("num_filters", value) for value in (0, -1, 1.5, "3")),
        *(("hidden_units", value) for value in (-1, 1.5, "3")),
        *(("activation", value) for value in ("swish", None, nn.ReLU)),
        *(("dropout", value) for value in (1, 1.0, -0.1, 1.5, "a", None, np.nan)),
        *(("token_dropout", value) for value in (1, -0.1, "auto", np.nan)),
        *(("max_norm", value) for value in (0, -1, "a", np.nan)),
        *(("embedding_dim", value) for value in (0, -1, 1.5)),
        *(("finetune", value) for value in (0, -1, 1.5, "static", None)),
        *(("warm_start", value) for value in ("yes", 1, None)),
        *(("optimizer", value) for value in ("adamm", 3, None)),
        *(("learning_rate", value) for value in (0, -1, "fast", None, np.nan, np.inf)),
        *(("finetune_lr", value) for value in (0, -1, np.nan)),
        *(("lr_schedule", value) for value in ("cosine", None)),
        *(("weight_decay", value) for value in (-1, None, np.nan)),
        *(("batch_size", value) for value in (0, 1.5, None)),
        *(("max_epochs", value) for value in (0, -1, 2.5, None)),
        *(("shuffle", value) for value in ("no", None, 1)),
        *(("early_stopping", value) for value in ("yes", None)),
        *(("validation_fraction", value) for value in (0, 1, 3, -0.1, None)),
        *(("n_iter_no_change", value) for value in (0, 1.5, None)),
        *(("tol", value) for value in (-1, None, np.nan)),
        *(("random_state", value) for value in ("a", -1, 1.5)),
        *(("verbose", value) for value in (-1, "x", None)),
        *(("device", value) for value in (None, 3, torch.device("cpu"))),
        *(("callbacks", value) for value in ("x", {"a": 1}, 3)),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(name, value):
    assert_refused(
        [
            lambda classifier: classifier.fit(IDS, LABELS),
            lambda classifier: classifier.partial_fit(IDS, LABELS, classes=[0, 1]),
        ],
        ValueError,
        f"The '{name}' parameter of TextCNNClassifier must be ",
        **{name: value},
    )


@pytest.mark.parametrize(
    "kernel_sizes",
    [(), [], [0], (3, -1), [1.5], ["3"], [None], np.array([]), np.array([[1, 2]])],
    ids=repr,
)
@pytest.mark.parametrize("architecture", ["kim", "stacked"])
def test_kernel_sizes_that_are_no_widths_are_refused(kernel_sizes, architecture):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "kernel_sizes must be a sequence of at least one int of at least 1; got ",
        kernel_sizes=kernel_sizes,
        architecture=architecture,
    )


@pytest.mark.parametrize("kernel_sizes", [[1, 2], (1, 2), np.array([1, 2]), range(1, 3)], ids=repr)
def test_kernel_sizes_may_be_any_sequence(kernel_sizes):
    classifier = small(kernel_sizes=kernel_sizes).fit(IDS, LABELS)
    assert [conv.kernel_size for conv in classifier.net_.module_.convs] == [(1,), (2,)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("callbacks", [42], "callbacks"),
        ("callbacks", [object()], "callbacks"),
        ("optimizer", int, "optimizer"),
        ("optimizer", nn.Linear, "optimizer"),
    ],
)
def test_what_is_no_callback_or_optimizer_is_refused_by_name(name, value, message):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        (TypeError, ValueError),
        message,
        **{name: value},
    )


@pytest.mark.parametrize("device", ["nonsense", "", "CPU", "cpu:x"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_device_that_torch_does_not_know_is_refused(device, method):
    known = {"classes": [0, 1]} if method == "partial_fit" else {}
    classifier = small(device=device)
    with pytest.raises(ValueError, match=f"device='{device}' is not a device of torch"):
        getattr(classifier, method)(IDS, LABELS, **known)
    assert not hasattr(classifier, "net_")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_where_there_is_none_is_refused_with_the_remedy(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        f"device='{device}', but torch finds no CUDA device here. Use device='auto' or 'cpu'",
        device=device,
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda classifier: classifier.predict(IDS),
        lambda classifier: classifier.partial_fit(IDS, LABELS),
    ],
    ids=["predict", "partial_fit"],
)
def test_a_device_that_is_set_later_is_checked_too(call):
    classifier = small().fit(IDS, LABELS).set_params(device="nonsense")
    with pytest.raises(ValueError, match="device='nonsense' is not a device of torch"):
        call(classifier)


@pytest.mark.parametrize("device", ["meta", "vulkan"])
def test_a_device_that_cannot_train_here_is_refused_by_name(device):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS), ValueError, "device=", device=device
    )


@pytest.mark.parametrize("finetune", [False, np.False_, 1, 3, "multichannel"])
def test_frozen_vectors_without_vectors_are_warned_of(finetune):
    message = (
        r"finetune=.* needs word vectors, but X has none: .* Give TextVectorizer "
        r"its embeddings .* or set finetune=True"
    )
    with pytest.warns(UserWarning, match=message):
        small(finetune=finetune, max_epochs=5).fit(IDS, LABELS)


@pytest.mark.parametrize("finetune", [True, np.True_, "gradual"])
def test_tuned_vectors_without_vectors_are_not_warned_of(finetune):
    assert small(finetune=finetune).fit(IDS, LABELS).embedding_source_ == "random"


@pytest.mark.parametrize(("finetune", "max_epochs"), [(1, 1), (2, 2), (5, 2)])
def test_vectors_that_stay_frozen_to_the_end_are_warned_of(with_vectors, finetune, max_epochs):
    message = (
        f"finetune={finetune} keeps the word vectors frozen for all {max_epochs} epochs "
        r"\(max_epochs\)"
    )
    with pytest.warns(UserWarning, match=message):
        small(finetune=finetune, max_epochs=max_epochs).fit(with_vectors, LABELS)


def test_vectors_that_thaw_in_the_last_epoch_are_not_warned_of(with_vectors):
    assert small(finetune=1, max_epochs=2).fit(with_vectors, LABELS).n_iter_ == 2
