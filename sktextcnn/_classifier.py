"""TextCNNClassifier: the convolutional text classifier as a scikit-learn estimator."""

import copy
import numbers
import time
import warnings
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sktextcnn._compat.sklearn import Interval, StrOptions, check_parameters
from sktextcnn._data_parallel import by_first, is_first, of_first
from sktextcnn._network import ACTIVATIONS, ARCHITECTURES
from sktextcnn._state import StoredEstimator
from sktextcnn._token_ids import TokenTable
from sktextcnn._training import (
    OPTIMIZERS,
    SourceModel,
    Targets,
    TextNet,
    TrainingData,
    as_labels,
    check_agreement,
    check_parts,
    check_token_ids,
    check_vocabulary,
    choose_mixture,
    combine_weights,
    continued_card,
    encode_targets,
    find_device,
    find_pretrained,
    first_net,
    frozen_epochs,
    held_out_scores,
    logits,
    mix,
    move,
    new_card,
    new_net,
    other_wide,
    own_memory,
    restored_net,
    split_validation,
    stored_net,
    training_data,
    training_session,
    try_mixture,
    validation_data,
    warn_of_random,
)
from sktextcnn._wide import Mixture, WideModel

# max_epochs="auto" is the number of epochs of about so many steps, or of so many tokens if that is
# less, within bounds.
_STEPS, _TOKENS = 3000, 32_000_000
_LEAST_EPOCHS, _MOST_EPOCHS = 4, 300

# What the bar says that it counts.
_TITLE = "TextCNN"


class TextCNNClassifier(ClassifierMixin, StoredEstimator):
    """Convolutional neural network for text classification.

    Convolutions over word vectors with max-over-time pooling (Kim, 2014), trained with torch
    through skorch, and a linear model over words and pairs of words beside them. Takes the output
    of :class:`TextVectorizer`, which carries the word vectors. A plain matrix of token ids has
    none; it is only accepted if `embedding_dim` says that they are to be random.

    Parameters
    ----------
    architecture : {"kim", "stacked"} or subclass of torch.nn.Module, default="kim"
        "kim": parallel convolutions, each with a maximum over time. "stacked": two
        convolutions of width 5 with pooling between them, a maximum over time, and a dense
        layer. A class is called with the parameters of this section that its constructor
        names, and with `num_embeddings`, `embedding_dim`, `num_outputs` and `multichannel`. Its
        attribute `embedding` must be an ``nn.Embedding``, and `head` its last layers, which
        end in an ``nn.Linear``. The network maps ids of shape (n_texts, n_tokens) to logits of
        shape (n_texts, num_outputs). With `wide`, these must be the outputs of that layer.
    kernel_sizes : sequence of int or None, default=None
        Widths of the convolution windows, in words. None: (3, 4, 5) for "kim"; (5, 5), one
        after the other, for "stacked".
    num_filters : int or None, default=None
        Number of filters of each convolution. None: 100 for "kim", 128 for "stacked".
    hidden_units : int or None, default=None
        Width of a dense layer before the output; 0: no such layer. None: 0 for "kim", 128 for
        "stacked".
    convolution : {"lookup", "dense"}, default="lookup"
        How "kim" is computed: from a table of the products of each distinct word with the
        kernels, or by torch's ``conv1d``, which is many times slower. The results are the same
        up to rounding.
    activation : {"relu", "tanh", "gelu", "elu", "leaky_relu", "sigmoid", "identity"}, \
            default="relu"
        Activation function after the convolutions and the dense layer.
    dropout : float in [0, 1), default=0.5
        Fraction of the features dropped before a dense layer during training.
    token_dropout : float in [0, 1) or None, default=None
        Fraction of tokens replaced by the unknown word during training. None: 0.2, or 0.1 with
        random word vectors.
    max_norm : float or None, default=None
        Upper bound of the Euclidean norm of the weights of each output, applied after every
        step. Kim (2014) used 3.
    embedding_dim : int or None, default=None
        Dimension of random word vectors. None: 300 for the output of a :class:`TextVectorizer`
        without `embeddings`; other token ids are refused, unless another model has the vectors
        (`pretrained`, `warm_start`). Ignored with given vectors, which have their own.
    pool_size : int or None, default=64
        The number of tokens that the maximum over time of "kim" is over at most. A longer text is
        divided into regions of so many tokens, and the mean of their activations, weighted by
        their tokens, goes to the head. None: over the whole text, as in Kim (2014).
    wide : bool, default=True
        Whether to add the logits of a linear model over words and pairs of words to those of the
        network ("wide and deep", Cheng et al., 2016). A first network, trained on a part of the
        texts, chooses how much each part counts, so that the probabilities can be used as they
        are; see :ref:`the notes <wide>`. The linear model is fitted to texts of at most 2**22
        tokens, drawn at random if there are more. False: the network alone, in about two thirds of
        the time.
    finetune : bool, int, "gradual" or "multichannel", default=True
        How word vectors are trained: False, not at all (CNN-static); True, from the first
        epoch (CNN-non-static); an int k, from epoch k + 1 on, at `finetune_lr`;
        "gradual", the head first, the convolutions from the second epoch, the vectors from the
        third, at learning rates that decrease from the head to `finetune_lr`; "multichannel",
        two copies, one frozen and one trained. Without given vectors, True is CNN-rand.
    warm_start : bool, default=False
        Whether `fit` continues from the present weights, with a new optimizer. Rows of the
        embedding are matched by word, so the vectorizer may have been refitted. The classes and
        the kind of targets must be the same.
    pretrained : str, path-like, FrozenEstimator or None, default=None
        Model whose word vectors (matched by word) and convolutions are the starting weights. If
        its classes are the same ones, its head is used too, and its wide part becomes a part of
        the new one, each if it predicts the training texts better than their most frequent class,
        by two standard errors; otherwise the head is new. Either the path of a model saved with
        :func:`sktextcnn.save` or with joblib (a pickle: load only files that you trust), or a
        fitted model in ``sklearn.frozen.FrozenEstimator``. With a wide part, a model of the same
        texts makes probabilities too sure; use `warm_start` for that.
    optimizer : str or subclass of torch.optim.Optimizer, default="adam"
        One of "adam", "adamw", "adadelta", "adagrad", "rmsprop", "sgd", or a class. "adam"
        without `weight_decay` updates only the vectors of the words in the batch, like
        ``torch.optim.SparseAdam``. Its time does not depend on the size of the vocabulary, and
        rare words stay closer to their initial vectors, which improves accuracy.
    learning_rate : float, default=1e-3
        Learning rate of the optimizer.
    finetune_lr : float or None, default=None
        Learning rate of the word vectors. None: `learning_rate`. A smaller rate keeps the
        vectors closer to their initial values.
    lr_schedule : {"linear", "constant"}, default="linear"
        "linear": the learning rates decrease linearly after each epoch, to zero after the last
        of `max_epochs`, so that the last epoch is about the best one.
        "constant": they stay constant, for example for a skorch scheduler in `callbacks`.
    weight_decay : float, default=0.0
        Weight decay, passed to the optimizer.
    batch_size : int, default=32
        Number of texts in each step.
    max_epochs : int or "auto", default="auto"
        Number of epochs, or their maximum with `early_stopping`. "auto": the number that makes
        about 3,000 steps, but at most about 32 million tokens, from 4 to 300. So small corpora
        get more epochs, and long texts fewer.
    shuffle : bool, default=True
        Whether to shuffle the texts in each epoch.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not decreased for `n_iter_no_change`
        epochs. The weights of the best epoch are restored.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the training texts held out for `early_stopping`, stratified by class. Not
        used if `fit` gets `X_val`.
    n_iter_no_change : int, default=3
        Maximum number of epochs without improvement before early stopping.
    tol : float, default=1e-4
        Minimum decrease of the validation loss that counts as an improvement.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn. They are multiplied with `sample_weight` and
        `sample_weight_val`.
    random_state : int, RandomState or None, default=None
        Pass an int for reproducible results: the same bits on the CPU, the same up to rounding
        on CUDA. The global random generators are neither used nor changed.
    verbose : int, default=0
        1 shows progress on stderr: a bar over the batches, and what else takes more than two
        seconds. Files get a line every ten seconds instead of a bar. Not stored by
        :func:`sktextcnn.save`.
    precision : {"float32", "bfloat16"}, default="float32"
        Data type of the products in the convolutions. "bfloat16" has 8 bits of precision
        instead of 24. It is faster on processors with native support and slower on others.
        Weights and updates stay float32.
    device : str, default="auto"
        "cpu", "cuda", or "auto", which uses CUDA if it is available.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch, or pairs of a name and one. Clones share them, and each fit uses
        shallow copies of them, so that what they refer to, such as a trial of Optuna, is shared;
        a callback with ``__sklearn_clone__`` is cloned by it. Only skorch's ``EarlyStopping``
        and its subclasses end a training; exceptions of other callbacks propagate.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels. For multilabel targets, the indices of the outputs, or the names that the
        command ``sktextcnn train`` has given them.
    net_ : skorch.NeuralNetClassifier
        The fitted skorch net. Its torch module is ``net_.module_``, the network without what
        `wide` adds to it.
    history_ : skorch.history.History
        Losses, scores and seconds of every epoch; ``history_[:, "train_loss"]``. They are those of
        the network before `wide` scales it.
    n_iter_ : int
        Number of epochs that were run.
    card_ : dict
        The model card, which models of earlier versions lack: when the model was trained
        (`trained`, in UTC), on how many texts (`n_texts`, and `class_counts` in the order of
        `classes_`), in how many `seconds`, with which `versions`; and `held_out`, the `accuracy`
        and `log_loss` on the texts that `fit` held out for validation or for `wide`, or None.
        `partial_fit` adds its texts. It is JSON data that you may add to; it has no texts. Two
        equal fits differ in it; see :ref:`the notes <card>`.
    words_ : tuple of str or None
        The word of each id; None for ids without words.
    embedding_source_ : str
        Source of the word vectors: the name of their file, "pretrained", or "random".
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame.

    See Also
    --------
    TextVectorizer : Convert texts to token ids with their word vectors.
    explain : Explain which words led to a prediction.
    save : Save a model in a file that cannot run code.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP.

    Cheng et al. (2016), Wide & Deep Learning for Recommender Systems, DLRS, for `wide`.

    Johnson and Zhang (2015), Effective Use of Word Order for Text Categorization with
    Convolutional Neural Networks, NAACL, for `pool_size`.

    Howard and Ruder (2018), Universal Language Model Fine-tuning for Text Classification,
    ACL, for gradual unfreezing.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model.fit(texts, labels).predict(["what a gem", "dull as ever"])
    array(['good', 'bad'], dtype='<U4')
    """

    _parameter_constraints: ClassVar = {
        "architecture": [StrOptions(set(ARCHITECTURES)), type],
        "kernel_sizes": ["array-like", None],
        "num_filters": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "hidden_units": [Interval(numbers.Integral, 0, None, closed="left"), None],
        "convolution": [StrOptions({"lookup", "dense"})],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(numbers.Real, 0, 1, closed="left")],
        "token_dropout": [Interval(numbers.Real, 0, 1, closed="left"), None],
        "max_norm": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "embedding_dim": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "pool_size": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "wide": ["boolean"],
        "finetune": [
            "boolean",
            Interval(numbers.Integral, 1, None, closed="left"),
            StrOptions({"gradual", "multichannel"}),
        ],
        "warm_start": ["boolean"],
        "pretrained": "no_validation",
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "learning_rate": [Interval(numbers.Real, 0, None, closed="neither")],
        "finetune_lr": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "lr_schedule": [StrOptions({"linear", "constant"})],
        "weight_decay": [Interval(numbers.Real, 0, None, closed="left")],
        "batch_size": [Interval(numbers.Integral, 1, None, closed="left")],
        "max_epochs": [Interval(numbers.Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(numbers.Integral, 1, None, closed="left")],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "precision": [StrOptions({"float32", "bfloat16"})],
        "device": [str],
        "callbacks": [list, tuple, None],
    }

    # In Pipeline(transform_input=["X_val"]) the validation data needs no further request.
    __metadata_request__fit: ClassVar = {
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }

    _fitted_attributes: ClassVar = (
        "classes_",
        "net_",
        "_table",
        "_wide",
        "embedding_source_",
        "n_iter_",
        "_seed",
        "card_",
        "n_features_in_",
        "feature_names_in_",
    )

    _seed: int
    card_: dict[str, Any]
    _table: TokenTable | None
    _wide: WideModel | None = None

    def __init__(
        self,
        *,
        architecture: str | type[torch.nn.Module] = "kim",
        kernel_sizes: Any = None,
        num_filters: int | None = None,
        hidden_units: int | None = None,
        convolution: str = "lookup",
        activation: str = "relu",
        dropout: float = 0.5,
        token_dropout: float | None = None,
        max_norm: float | None = None,
        embedding_dim: int | None = None,
        pool_size: int | None = 64,
        wide: bool = True,
        finetune: bool | int | str = True,
        warm_start: bool = False,
        pretrained: Any = None,
        optimizer: str | type[torch.optim.Optimizer] = "adam",
        learning_rate: float = 1e-3,
        finetune_lr: float | None = None,
        lr_schedule: str = "linear",
        weight_decay: float = 0.0,
        batch_size: int = 32,
        max_epochs: int | str = "auto",
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 1e-4,
        class_weight: Any = None,
        random_state: Any = None,
        verbose: int = 0,
        precision: str = "float32",
        device: str = "auto",
        callbacks: Any = None,
    ) -> None:
        self.architecture = architecture
        self.kernel_sizes = kernel_sizes
        self.num_filters = num_filters
        self.hidden_units = hidden_units
        self.convolution = convolution
        self.activation = activation
        self.dropout = dropout
        self.token_dropout = token_dropout
        self.max_norm = max_norm
        self.embedding_dim = embedding_dim
        self.pool_size = pool_size
        self.wide = wide
        self.finetune = finetune
        self.warm_start = warm_start
        self.pretrained = pretrained
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.finetune_lr = finetune_lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose
        self.precision = precision
        self.device = device
        self.callbacks = callbacks

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "TextCNNClassifier":
        """Train the network, and fit the linear model beside it.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            What ``TextVectorizer.transform`` returns, or other token ids, in which 0 is
            padding and 1 the unknown word. Rows of the former that were chosen, repeated or
            converted to another container in this process have the words and vectors all the
            same. Others need `embedding_dim`.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            Labels of any type, or an indicator matrix for multilabel targets.
        sample_weight : array-like of shape (n_texts,) or None, default=None
            A text of weight 2 counts as two texts, a text of weight 0 is ignored.
        X_val, y_val : array-like or None, default=None
            Validation data from the same vectorizer. `history_` records their loss and
            accuracy, `early_stopping` monitors the loss, and `wide` chooses by them.
        sample_weight_val : array-like of shape (n_val_texts,) or None, default=None
            Weights of the validation texts in the validation loss. They are multiplied by
            `class_weight`, as `sample_weight` is.

        Returns
        -------
        self : TextCNNClassifier
            The fitted estimator. If `fit` fails or is interrupted, the estimator is unchanged.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not valid. The message names it and says how to fix
            it.
        """
        start = time.perf_counter()
        self._validate_params()
        device = find_device(self.device)
        plain = self._takes_plain_ids()
        data = training_data(X, y, sample_weight, self.class_weight, plain=plain)
        given = data
        validation = validation_data(data, X_val, y_val, sample_weight_val, self.class_weight)
        sources = self._source_models(data.targets)
        check_agreement(self, data, validation, sources)
        if validation is None and self.early_stopping:
            split_seed = self._new_seed()
            data, validation = split_validation(data, self.validation_fraction, split_seed)
        validation_rows = None if validation is None else validation.to_dataset(device)
        n_epochs = self._n_epochs(data.n_weighted, data.n_tokens)
        self._warn_of_frozen(n_epochs)
        warn_of_random(self.finetune, data, sources)
        seed = self._new_seed()
        progress = bool(self.verbose) and is_first()
        mixture = wide = held_out = None
        other = other_wide(sources, data) if self.wide else None
        kept = self._wide if self.wide and self.warm_start else None
        if kept is not None and kept.mixture.any():
            mixture = Mixture(*kept.mixture.tolist())
        elif self.wide and validation is None:
            with training_session(seed, device):
                make_net = partial(first_net, self, data, sources, device, seed)
                n_frozen = frozen_epochs(self.finetune)
                choice = try_mixture(
                    make_net, data, n_epochs, n_frozen, seed, other=other, progress=progress
                )
            if choice is not None:
                mixture, held_out = choice
        with training_session(seed, device):
            net, source = new_net(
                self, data, sources, validation_rows, device, seed, scalable=self.wide
            )
            title = _TITLE if progress else None
            net.fit_epochs(data.to_dataset(device), n_epochs, title=title)
            if self.wide and validation is not None and mixture is None:
                mixture, _ = by_first(
                    choose_mixture, net, data, validation, other, progress=progress
                )
            if self.wide:
                wide = by_first(mix, net, data, mixture, other, progress=progress)
            net.share_weights()
        if validation is not None:
            held_out = _scores(net, wide, validation)
        card = of_first(new_card(given, time.perf_counter() - start, held_out))
        self._set_fitted(X, net, data, source, seed, card, wide)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> "TextCNNClassifier":
        """Train for one epoch on a part of the data, with the optimizer of earlier calls.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids. All calls must have the same vocabulary; for ids without words, the
            first call sets the largest id, and larger ones count as unknown.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            Labels or an indicator matrix.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels that can occur. Required in the first call unless `y` is an indicator
            matrix.
        sample_weight : array-like of shape (n_texts,) or None, default=None
            Weights of the texts, relative to the others of this call.

        Returns
        -------
        self : TextCNNClassifier
            If the first call fails or is interrupted, the estimator is unchanged. A later call
            may leave the weights of an incomplete epoch, which is not counted. To go back, keep
            a copy made by ``copy.deepcopy``, which has the optimizer's state too.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or differs from the first call's, or if
            ``class_weight="balanced"`` or ``early_stopping=True`` is set, which need all data.

        Notes
        -----
        A later call uses the present `learning_rate`, `finetune_lr` and `batch_size`; other
        parameters are those of the first call. A model that was pickled or saved goes on with a
        new optimizer.

        The wide part needs all texts, so `partial_fit` trains the network alone. A wide part that
        `fit` has made stays as it is.
        """
        start = time.perf_counter()
        self._validate_params()
        self._check_partial_fit_params()
        first = not hasattr(self, "net_")
        # Models of earlier versions have no card, and it cannot be made up.
        card = None if first else getattr(self, "card_", None)
        if card is not None:
            try:
                check_parts(card, len(self.classes_))
            except ValueError as error:
                raise ValueError(
                    f"card_ cannot be continued: {error}. Mend it, or delete the attribute."
                ) from None
        data = (self._first_data if first else self._further_data)(X, y, classes, sample_weight)
        if first:
            device = find_device(self.device)
            sources = self._source_models(data.targets)
            check_agreement(self, data, sources=sources)
            seed = self._new_seed()
            warn_of_random(self.finetune, data, sources)
            with training_session(seed, device):
                net, source = new_net(self, data, sources, None, device, seed)
        else:
            net, seed = self._placed_net(), self._seed
            check_agreement(self, data, sources=[self._present_model("this model")])
            own_memory(net)
            net.follow(self)
        with training_session(seed + 1 + len(net.history), net.device):
            rows = data.to_dataset(net.device, self._wide)
            net.fit_epochs(rows, 1, title=_TITLE if self.verbose and is_first() else None)
            net.share_weights()
        seconds = time.perf_counter() - start
        if first:
            card = of_first(new_card(data, seconds))
            self._set_fitted(X, net, data, source, seed, card)
        elif card is not None:
            self.card_ = of_first(continued_card(card, data, seconds))
        self.n_iter_ = len(net.history)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the labels.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        y : ndarray of shape (n_texts,) or (n_texts, n_labels)
            Labels, or an indicator matrix if the classifier was trained on one.
        """
        outputs = self._logits(X)
        if self.net_.multilabel:
            return (outputs > 0).astype(int)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict probabilities.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        proba : ndarray of shape (n_texts, n_classes), float64
            Probabilities in the order of `classes_`; each row sums to 1. For multilabel
            targets, the probability of each label.
        """
        outputs = self._logits(X)
        return expit(outputs) if self.net_.multilabel else softmax(outputs, axis=1)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        scores : ndarray of shape (n_texts,) or (n_texts, n_classes), float64
            For two classes the log-odds of the second class, otherwise one logit for each
            class.
        """
        outputs = self._logits(X)
        if len(self.classes_) == 2 and not self.net_.multilabel:
            return outputs[:, 1] - outputs[:, 0]
        return outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy; for multilabel targets, the share of rows that are all right.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            The true labels, of any type that `fit` takes.
        sample_weight : array-like of shape (n_texts,) or None, default=None
            Weights of the texts.

        Returns
        -------
        score : float
            Between 0 and 1.
        """
        return super().score(X, as_labels(y), sample_weight)

    @property
    def words_(self) -> tuple[str, ...] | None:
        """The word of each id, or None."""
        check_is_fitted(self, "net_")
        return None if self._table is None else self._table.words

    @property
    def history_(self) -> Any:
        """Losses, scores and seconds of every epoch."""
        check_is_fitted(self, "net_")
        return self.net_.history

    # Data -----------------------------------------------------------------------------

    def _takes_plain_ids(self) -> bool:
        """Whether random vectors are asked for, or another model has the vectors."""
        goes_on = self.warm_start and hasattr(self, "net_")
        return goes_on or self.embedding_dim is not None or self.pretrained is not None

    def _known_ids(self, X: Any, least: int = 1) -> tuple[np.ndarray, TokenTable | None]:
        """The ids of a fitted classifier's input, of at least so many texts."""
        ids, table = check_token_ids(X, least=least)
        validate_data(self, X, reset=False, skip_check_array=True)
        n_ids = self.net_.module_.embedding.num_embeddings
        return check_vocabulary(ids, table, self.words_, n_ids), table

    def _check_partial_fit_params(self) -> None:
        weights = self.class_weight if isinstance(self.class_weight, list) else [self.class_weight]
        if any(isinstance(each, str) for each in weights):
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which does not see all "
                "labels at once. Compute the weights by sklearn.utils.class_weight."
                "compute_class_weight('balanced', classes=classes, y=y) and set class_weight to "
                "the dict of classes and weights."
            )
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True. Set early_stopping=False, or "
                "call fit."
            )

    def _first_data(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> TrainingData:
        """The data of the first call of `partial_fit`."""
        expected = None
        if classes is not None:
            expected = encode_targets(classes, len(classes), names=("classes", "classes")).classes
        plain = self._takes_plain_ids()
        data = training_data(X, y, sample_weight, self.class_weight, expected, plain=plain)
        if expected is None and not data.targets.multilabel:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return data

    def _further_data(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> TrainingData:
        """The data of a later call of `partial_fit`."""
        ids, table = self._known_ids(X)
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )
        targets = encode_targets(y, len(ids), self.classes_, self.net_.multilabel)
        weight = combine_weights(len(ids), y, sample_weight, self.class_weight)
        return TrainingData(ids, table, targets, weight)

    # Network --------------------------------------------------------------------------

    def _source_models(self, targets: Targets) -> list[SourceModel]:
        """The models whose weights the network starts from; later ones overwrite earlier ones."""
        sources = []
        if self.pretrained is not None:
            sources.append(find_pretrained(self.pretrained))
        if self.warm_start and hasattr(self, "net_"):
            if self.net_.multilabel != targets.multilabel:
                kinds = {True: "an indicator matrix", False: "one label for each text"}
                raise ValueError(
                    f"warm_start=True continues with the same kind of targets; previously got "
                    f"{kinds[self.net_.multilabel]}, now {kinds[targets.multilabel]}. Set "
                    f"warm_start=False to start anew."
                )
            if not np.array_equal(self.classes_, targets.classes):
                raise ValueError(
                    f"warm_start=True continues with the same classes; previously got "
                    f"{self.classes_}, now {targets.classes}. Set warm_start=False to start "
                    f"anew."
                )
            sources.append(self._present_model("warm_start"))
        return sources

    def _present_model(self, purpose: str) -> SourceModel:
        weights, source = self.net_.module_.state_dict(), self.embedding_source_
        return SourceModel(purpose, weights, self.words_, source, self.classes_)

    def _new_seed(self) -> int:
        return of_first(int(check_random_state(self.random_state).randint(2**31 - 1)))

    def _n_epochs(self, n_texts: int, n_tokens: int) -> int:
        if self.max_epochs != "auto":
            return int(self.max_epochs)
        n_epochs = round(min(_STEPS * self.batch_size / n_texts, _TOKENS / max(1, n_tokens)))
        return min(max(n_epochs, _LEAST_EPOCHS), _MOST_EPOCHS)

    def _warn_of_frozen(self, n_epochs: int) -> None:
        if frozen_epochs(self.finetune) >= n_epochs:
            warnings.warn(
                f"finetune={self.finetune} keeps the word vectors frozen for all "
                f"{n_epochs} epochs (max_epochs).",
                UserWarning,
                stacklevel=3,
            )

    def _set_fitted(
        self,
        X: Any,
        net: TextNet,
        data: TrainingData,
        source: str,
        seed: int,
        card: dict[str, Any],
        wide: WideModel | None = None,
    ) -> None:
        # Only the training needed the validation data.
        net.train_split = None
        columns = BaseEstimator()
        validate_data(columns, X, skip_check_array=True)
        kept = {name: value for name, value in vars(self).items() if name != "feature_names_in_"}
        # In one step, so that an interrupt leaves the estimator as it was before or fitted.
        self.__dict__ = {
            **kept,
            **vars(columns),
            "classes_": data.targets.classes,
            "net_": net,
            "_table": data.table,
            "_wide": wide,
            "embedding_source_": source,
            "n_iter_": len(net.history),
            "_seed": seed,
            "card_": card,
        }

    def _logits(self, X: Any) -> np.ndarray:
        """The sum of both parts' outputs; (n_texts, n_outputs), float64."""
        check_is_fitted(self, "net_")
        ids, _ = self._known_ids(X, least=0)
        if not len(ids):
            return np.zeros((0, len(self.classes_)))
        outputs = logits(self._placed_net(), ids).astype(np.float64)
        if self._wide is not None:
            outputs += self._wide.logits(ids)
        if not np.isfinite(outputs).all():
            text = int(np.isfinite(outputs).all(axis=1).argmin())
            raise ValueError(
                f"The outputs for text {text} (counting from 0) are not finite: weights became too "
                f"large in training. Lower learning_rate={self.learning_rate:g} (and finetune_lr, "
                f"if set) and fit again, or set max_norm or weight_decay."
            )
        return outputs

    def _placed_net(self) -> TextNet:
        """The net on the device that is asked for, or on the CPU where there is none."""
        lost_cuda = self.device.startswith("cuda") and not torch.cuda.is_available()
        move(self.net_, "cpu" if lost_cuda else find_device(self.device))
        return self.net_

    # State ----------------------------------------------------------------------------

    def _validate_params(self) -> None:
        check_parameters(self, self._parameter_constraints)

    def _fitted_state(self) -> dict[str, Any]:
        state = super()._fitted_state()
        if state.get("_wide") is not None:
            state["_wide"] = state["_wide"].arrays()
        if "net_" in state:
            table = state["_table"]
            state["net_"] = stored = stored_net(state["net_"], table)
            if table is not None and table.vectors is not None and not stored["shared"]:
                state["_table"] = TokenTable(table.words)
        return state

    def _set_fitted_state(self, state: dict[str, Any]) -> None:
        # Models of before there was a wide part have none.
        arrays = state.get("_wide")
        super()._set_fitted_state(
            {
                **state,
                "net_": restored_net(state["net_"], state["_table"]),
                "_wide": None if arrays is None else WideModel(**arrays),
            }
        )

    def __sklearn_clone__(self) -> "TextCNNClassifier":
        # A deep copy of a trial of Optuna would report to a copy of its study, which prunes
        # nothing. Each fit makes copies of callbacks, so that clones can share them.
        bare = object.__new__(type(self))
        bare.__dict__.update(vars(self), callbacks=None)
        cloned = BaseEstimator.__sklearn_clone__(bare)
        cloned.callbacks = copy.copy(self.callbacks)
        return cloned

    def __deepcopy__(self, memo: dict[int, Any]) -> "TextCNNClassifier":
        # A pickle holds no state of the optimizer, but a copy in memory can go on with it.
        copied = object.__new__(type(self))
        memo[id(self)] = copied
        copied.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        if hasattr(self, "net_"):
            copied.net_.copy_optimizer(self.net_)
        return copied

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.random_state is None
        return tags


def _scores(net: TextNet, wide: WideModel | None, held_out: TrainingData) -> dict[str, Any]:
    """How good a new model is on the texts of positive weight that it was not trained on."""
    if held_out.weight is not None:
        held_out = held_out[held_out.weight > 0]
    outputs = logits(net, held_out.ids).astype(np.float64)
    if wide is not None:
        outputs += wide.logits(held_out.ids)
    return held_out_scores(outputs, held_out.targets)
