"""TextCNNClassifier: the convolutional text classifier as a scikit-learn estimator."""

import numbers
import warnings
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sktextcnn._network import ACTIVATIONS, ARCHITECTURES, check_network, network_class
from sktextcnn._state import check_versions, versions
from sktextcnn._token_ids import UNKNOWN_ID, TokenTable
from sktextcnn._training import (
    OPTIMIZERS,
    Rows,
    Settings,
    Targets,
    TextNet,
    build_net,
    combine_weights,
    copy_weights,
    encode_targets,
    fill_embedding,
    find_pretrained,
    hold_against,
    logits,
    place,
    read_ids,
    refuse_lost_vectors,
    restored_net,
    resume,
    seeded,
    split_off_validation,
    stored_net,
)

_RANDOM_DIM = 300
# Vectors from elsewhere know words that are dropped; random ones learn from each of them.
_TOKEN_DROPOUT, _TOKEN_DROPOUT_OF_RANDOM = 0.2, 0.1

# What "auto" stands for: about so many steps, within so many epochs.
_STEPS = 3000
_LEAST_EPOCHS, _MOST_EPOCHS = 4, 300


class TextCNNClassifier(ClassifierMixin, BaseEstimator):
    """Convolutional neural network for text classification.

    Convolutions over word vectors with max-over-time pooling (Kim, 2014), trained with
    torch through skorch. Takes what :class:`TextVectorizer` returns, from which it has the
    word vectors; a plain matrix of token ids gets random ones.

    Parameters
    ----------
    architecture : {"kim", "stacked"} or subclass of torch.nn.Module, default="kim"
        "kim": parallel convolutions, each with a maximum over time. "stacked": two
        convolutions of width 5 with pooling between them, a maximum over time, and a dense
        layer. A class is called with those of the parameters of this section that its
        constructor names, and `num_embeddings`, `embedding_dim`, `num_outputs` and
        `multichannel`; it must have an ``nn.Embedding`` at `embedding` and its last layers,
        which end in an ``nn.Linear``, at `head`, and map ids of shape (n_texts, n_tokens)
        to logits of shape (n_texts, num_outputs).
    kernel_sizes : sequence of int or None, default=None
        Widths of the convolutions' windows, in words. None: those of the architecture,
        (3, 4, 5) for "kim" and (5, 5), one after the other, for "stacked".
    num_filters : int or None, default=None
        Filters of each convolution. None: 100 for "kim", 128 for "stacked".
    hidden_units : int or None, default=None
        Width of a dense layer before the output, 0 for none. None: 0 for "kim", 128 for
        "stacked".
    convolution : {"lookup", "dense"}, default="lookup"
        How "kim" computes: by look-ups of each distinct word's products with the kernels,
        or by torch's ``conv1d``, many times slower. The results are the same up to rounding.
    activation : {"relu", "tanh", "gelu", "elu", "leaky_relu", "sigmoid", "identity"}, \
            default="relu"
        Behind convolutions and the dense layer.
    dropout : float in [0, 1), default=0.5
        Share of the features dropped before a dense layer while training.
    token_dropout : float in [0, 1) or None, default=None
        Share of tokens replaced by the unknown word while training. None: 0.2, and 0.1 with
        random word vectors.
    max_norm : float or None, default=None
        Bound of the Euclidean norm of each output's weights, kept after every step. Kim
        (2014) had 3.
    embedding_dim : int or None, default=None
        Width of random word vectors; None: 300. Vectors that are given have their own.
    finetune : bool, int, "gradual" or "multichannel", default=True
        How word vectors are trained: False, not at all (CNN-static); True, from the first
        epoch (CNN-non-static); an int k, from epoch k + 1 on, at `finetune_lr`;
        "gradual", one group an epoch, first the head, then the convolutions, then the
        vectors, at rates that fall to `finetune_lr`; "multichannel", a frozen and a trained
        copy side by side. Without vectors True is CNN-rand.
    warm_start : bool, default=False
        Whether `fit` goes on from the present weights, with a new optimizer. Rows of the
        embedding are matched by word, so the vectorizer may have been refitted.
    pretrained : str, path-like, FrozenEstimator or None, default=None
        Start from the word vectors (matched by word) and the convolutions of another model,
        with a new head: the path of a model saved with :func:`sktextcnn.save` or with joblib
        (a pickle, so only from those you trust), or a fitted one in
        ``sklearn.frozen.FrozenEstimator``.
    optimizer : str or subclass of torch.optim.Optimizer, default="adam"
        One of "adam", "adamw", "adadelta", "adagrad", "rmsprop", "sgd", or a class. "adam"
        without `weight_decay` moves only the vectors of a batch's words, as
        ``torch.optim.SparseAdam`` does: its time does not depend on the vocabulary's size, and
        rare words stay nearer to where they began, which gains accuracy.
    learning_rate : float, default=1e-3
        Step size of the optimizer.
    finetune_lr : float or None, default=None
        Step size for the word vectors. None: `learning_rate`. A smaller one keeps the vectors
        nearer to where they began.
    lr_schedule : {"linear", "constant"}, default="linear"
        "linear": the rates fall evenly from epoch to epoch, to zero behind the last of
        `max_epochs`, so that the last epoch is about the best one.
        "constant": they stay; for a scheduler of skorch among `callbacks`.
    weight_decay : float, default=0.0
        Handed to the optimizer.
    batch_size : int, default=32
        Texts in a step.
    max_epochs : int or "auto", default="auto"
        Epochs of training, fewer with `early_stopping`. "auto": as many as make 3,000 steps,
        so that small corpora are seen more often than large ones; from 4 to 300.
    shuffle : bool, default=True
        Whether every epoch has the texts in a new order.
    early_stopping : bool, default=False
        Stop when the loss on a validation part has not fallen for `n_iter_no_change`
        epochs, and return to the best epoch's weights.
    validation_fraction : float in (0, 1), default=0.1
        Share of the training texts that `early_stopping` keeps for validation, in
        proportion to the classes, if `fit` gets no `X_val`.
    n_iter_no_change : int, default=3
        Patience of `early_stopping`, in epochs.
    tol : float, default=1e-4
        Fall of the loss that counts as one.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes as in scikit-learn; multiplied into `sample_weight`.
    random_state : int, RandomState or None, default=None
        An int gives the same bits every time on the CPU, and the same up to rounding on CUDA.
        The global generators stay untouched.
    verbose : int, default=0
        1: a progress bar over epochs.
    precision : {"float32", "bfloat16"}, default="float32"
        What the convolutions multiply in. "bfloat16" has 8 bits instead of 24, and is faster
        on processors that multiply it natively, slower on others. Weights and updates stay
        float32.
    device : str, default="auto"
        "cpu", "cuda", or "auto" for CUDA where there is one.
    callbacks : list of skorch callbacks or None, default=None
        Called as skorch does; copied first, so that an estimator can be fitted again.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels; the numbers of the outputs for multilabel targets.
    net_ : skorch.NeuralNetClassifier
        The fitted net; its torch module is ``net_.module_``.
    history_ : skorch.history.History
        Losses, scores and seconds of every epoch; ``history_[:, "train_loss"]``.
    n_iter_ : int
        Number of epochs that were run.
    words_ : tuple of str or None
        The word of each id; None for ids without words.
    embedding_source_ : str
        Where the word vectors came from: the name of their file, "pretrained", or "random".
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame.

    See Also
    --------
    TextVectorizer : Turns texts into ids that carry their word vectors.
    explain : Which words make the network say what it says.
    save : A model file that cannot run code.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP.

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
    __metadata_request__fit: ClassVar = {"X_val": True, "y_val": True}

    _seed: int
    _table: TokenTable | None

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
    ) -> "TextCNNClassifier":
        """Train the network.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            What ``TextVectorizer.transform`` returns, or other token ids, in which 0 is
            padding and 1 the unknown word.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            Labels of any type, or an indicator matrix for multilabel targets.
        sample_weight : array-like of shape (n_texts,) or None
            A text of weight 2 counts as if it were there twice, one of weight 0 not at all.
        X_val, y_val : array-like or None
            Validation data, vectorized by the same vectorizer. Their loss and accuracy are
            recorded in `history_`, and `early_stopping` watches them.

        Returns
        -------
        self : TextCNNClassifier
            On an error, and when interrupted, the estimator is left as it was before.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described; names what and the remedy.
        """
        self._validate_params()
        device = self._find_device()
        ids, table = read_ids(X)
        refuse_lost_vectors(X)
        targets = encode_targets(y, len(ids))
        weight = combine_weights(len(ids), y, sample_weight, self.class_weight)
        rows, validation = self._rows(ids, table, targets, weight, X_val, y_val, device)
        previous = self if self.warm_start and hasattr(self, "net_") else None
        if previous is not None and not np.array_equal(previous.classes_, targets.classes):
            raise ValueError(
                f"warm_start=True goes on with the same classes; previously got "
                f"{previous.classes_}, now {targets.classes}. Set warm_start=False to start "
                f"anew."
            )
        n_epochs = self._n_epochs(len(rows))
        self._warn_of_frozen(n_epochs)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with seeded(seed, device):
            net, source = self._new_net(
                ids, table, targets, device, seed, validation=validation, previous=previous
            )
            net.fit_epochs(rows, n_epochs)
        self._set_fitted(X, net, table, targets, source, seed)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> "TextCNNClassifier":
        """Train one epoch on some of the data, with the optimizer of the calls before.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids. All calls must have the same vocabulary; for ids without words, the
            first call sets the largest id, and larger ones count as unknown.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            Labels or an indicator matrix.
        classes : array-like of shape (n_classes,) or None
            All labels that will ever occur; needed in the first call unless `y` is an
            indicator matrix.
        sample_weight : array-like of shape (n_texts,) or None
            Weights of the texts, relative to the others of this call.

        Returns
        -------
        self : TextCNNClassifier
            On an error, and when interrupted, the first call leaves the estimator as it was
            before. A later one may leave weights from the midst of its epoch, which is not
            counted; to go back, keep a copy.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or differs from the first call's.
        """
        self._validate_params()
        first = not hasattr(self, "net_")
        if first:
            ids, table = read_ids(X)
            refuse_lost_vectors(X)
            targets = self._first_targets(y, len(ids), classes)
        else:
            ids, table = self._known_ids(X)
            targets = self._further_targets(y, len(ids), classes)
        weight = combine_weights(len(ids), y, sample_weight, self.class_weight)
        if first:
            device = self._find_device()
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            with seeded(seed, device):
                net, source = self._new_net(ids, table, targets, device, seed)
        else:
            net, seed = self._placed_net(), self._seed
            resume(net)
        with seeded(seed + 1 + len(net.history), net.device):
            net.fit_epochs(_weighted_rows(ids, targets.encoded, weight, net.device), 1)
        if first:
            self._set_fitted(X, net, table, targets, source, seed)
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
            In the order of `classes_`; rows sum to 1. For multilabel targets, the
            probability of each label.
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
            For two classes the log-odds of the second; else one logit for each class.
        """
        outputs = self._logits(X)
        if len(self.classes_) == 2 and not self.net_.multilabel:
            return outputs[:, 1] - outputs[:, 0]
        return outputs

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

    def _known_ids(self, X: Any) -> tuple[np.ndarray, TokenTable | None]:
        """The ids of a fitted classifier's input."""
        ids, table = read_ids(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        n_ids = self.net_.module_.embedding.num_embeddings
        return hold_against(ids, table, self.words_, n_ids), table

    def _first_targets(self, y: Any, n_texts: int, classes: Any) -> Targets:
        """The targets of the first call of `partial_fit`."""
        expected = None
        if classes is not None:
            expected = encode_targets(classes, len(classes), names=("classes", "classes")).classes
        targets = encode_targets(y, n_texts, expected)
        if expected is None and not targets.multilabel:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return targets

    def _further_targets(self, y: Any, n_texts: int, classes: Any) -> Targets:
        """The targets of a later call of `partial_fit`."""
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )
        return encode_targets(y, n_texts, self.classes_, self.net_.multilabel)

    def _rows(
        self,
        ids: np.ndarray,
        table: TokenTable | None,
        targets: Targets,
        weight: np.ndarray | None,
        X_val: Any,
        y_val: Any,
        device: str,
    ) -> tuple[Rows, Rows | None]:
        """The rows to train on, and those to validate on if any."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together; give both or none.")
        validation = None
        encoded = targets.encoded
        if X_val is not None:
            val_ids, val_table = read_ids(X_val, "X_val")
            if val_ids.shape[1] != ids.shape[1]:
                raise ValueError(
                    f"X_val has {val_ids.shape[1]} columns, but X has {ids.shape[1]}. Use the "
                    f"same fitted vectorizer for both."
                )
            words = None if table is None else table.words
            val_ids = hold_against(val_ids, val_table, words, _n_ids(ids, table), "X_val")
            names = ("X_val", "y_val")
            val_targets = encode_targets(
                y_val, len(val_ids), targets.classes, targets.multilabel, names
            )
            validation = Rows(val_ids, val_targets.encoded, device=device)
        elif self.early_stopping:
            if weight is not None:
                kept = weight > 0
                ids, weight = ids[kept], weight[kept]
                targets = targets._replace(encoded=targets.encoded[kept])
            encoded = targets.encoded
            random_state = check_random_state(self.random_state)
            train, valid = split_off_validation(
                targets, self.validation_fraction, random_state.randint(2**31 - 1)
            )
            validation = _weighted_rows(
                ids[valid], encoded[valid], None if weight is None else weight[valid], device
            )
            ids, encoded = ids[train], encoded[train]
            weight = None if weight is None else weight[train]
        return _weighted_rows(ids, encoded, weight, device), validation

    # Network --------------------------------------------------------------------------

    def _new_net(
        self,
        ids: np.ndarray,
        table: TokenTable | None,
        targets: Targets,
        device: str,
        seed: int,
        *,
        validation: Rows | None = None,
        previous: "TextCNNClassifier | None" = None,
    ) -> tuple[TextNet, str]:
        """Make the net with its starting weights, and say where its vectors are from."""
        pretrained = None if self.pretrained is None else find_pretrained(self.pretrained)
        vectors = None if table is None else table.vectors
        other = previous or pretrained
        if vectors is None and other is None:
            self._warn_of_random()
        n_ids = _n_ids(ids, table)
        if vectors is not None:
            dim = vectors.shape[1]
        elif other is not None and self.embedding_dim is None:
            dim = other.net_.module_.embedding.embedding_dim
        else:
            dim = self.embedding_dim or _RANDOM_DIM
        is_random = vectors is None and (other is None or other.embedding_source_ == "random")
        network, params = self._network(n_ids, dim, len(targets.classes), is_random)
        settings = Settings(
            finetune=self.finetune,
            multilabel=targets.multilabel,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            finetune_lr=self.finetune_lr or self.learning_rate,
            lr_schedule=self.lr_schedule,
            weight_decay=self.weight_decay,
            max_norm=self.max_norm,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            patience=self.n_iter_no_change if self.early_stopping else None,
            tol=self.tol,
            callbacks=self.callbacks,
            verbose=int(self.verbose),
            precision=self.precision,
        )
        net = build_net(network, params, settings, validation=validation, device=device)
        check_network(net.module_, n_ids, dim)
        fill_embedding(net.module_.embedding, vectors, seed)
        words = None if table is None else table.words
        source = "random" if table is None or vectors is None else table.source or "vectors"
        for model, purpose in ((pretrained, "pretrained"), (previous, "warm_start")):
            if model is not None:
                copy_weights(
                    model.net_.module_,
                    model.words_,
                    net.module_,
                    words,
                    with_head=model is previous,
                    purpose=purpose,
                )
                source = previous.embedding_source_ if model is previous else "pretrained"
        return net, source

    def _network(
        self, n_ids: int, dim: int, n_outputs: int, is_random: bool
    ) -> tuple[type[torch.nn.Module], dict[str, Any]]:
        """The class of the network and what to call it with."""
        token_dropout = self.token_dropout
        if token_dropout is None:
            token_dropout = _TOKEN_DROPOUT_OF_RANDOM if is_random else _TOKEN_DROPOUT
        sizes = self.kernel_sizes
        if sizes is not None:
            if not len(sizes) or not all(isinstance(k, int | np.integer) and k >= 1 for k in sizes):
                raise ValueError(
                    f"kernel_sizes must be a sequence of at least one int from 1; got {sizes!r}."
                )
            sizes = tuple(int(k) for k in sizes)
        chosen = {
            "kernel_sizes": sizes,
            "num_filters": self.num_filters,
            "hidden_units": self.hidden_units,
            "multichannel": True if self.finetune == "multichannel" else None,
        }
        others = {
            "num_embeddings": n_ids,
            "embedding_dim": dim,
            "num_outputs": n_outputs,
            "activation": self.activation,
            "dropout": self.dropout,
            "token_dropout": token_dropout,
            "convolution": self.convolution,
        }
        chosen = {name: value for name, value in chosen.items() if value is not None}
        return network_class(self.architecture, chosen, others)

    @property
    def _frozen_epochs(self) -> int:
        """For how many epochs an int `finetune` keeps the word vectors frozen, else 0."""
        finetune = self.finetune
        number = isinstance(finetune, int | np.integer) and not isinstance(finetune, bool)
        return int(finetune) if number else 0

    def _find_device(self) -> str:
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        try:
            kind = torch.device(self.device).type
        except RuntimeError as error:
            raise ValueError(f"device={self.device!r} is no device of torch: {error}") from error
        if kind == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device={self.device!r}, but torch finds no CUDA device here. Use "
                f"device='auto' or 'cpu'."
            )
        try:
            torch.ones(1, device=self.device).item()
        except (RuntimeError, NotImplementedError) as error:
            raise ValueError(
                f"device={self.device!r} does not work here; use device='auto' or 'cpu'. {error}"
            ) from error
        return self.device

    def _n_epochs(self, n_texts: int) -> int:
        if self.max_epochs != "auto":
            return int(self.max_epochs)
        n_epochs = round(_STEPS * self.batch_size / n_texts)
        return min(max(n_epochs, _LEAST_EPOCHS), _MOST_EPOCHS)

    def _warn_of_random(self) -> None:
        tuned = self.finetune == "gradual" or (
            isinstance(self.finetune, bool | np.bool_) and bool(self.finetune)
        )
        if not tuned:
            warnings.warn(
                f"finetune={self.finetune!r} is for word vectors that are given, but X has "
                f"none, so random ones are kept frozen. Give TextVectorizer its embeddings and "
                f"the classifier what it returns, or set finetune=True.",
                UserWarning,
                stacklevel=4,
            )

    def _warn_of_frozen(self, n_epochs: int) -> None:
        if self._frozen_epochs >= n_epochs:
            warnings.warn(
                f"finetune={self.finetune} keeps the word vectors frozen for all of "
                f"max_epochs={n_epochs} epochs.",
                UserWarning,
                stacklevel=3,
            )

    def _set_fitted(
        self,
        X: Any,
        net: TextNet,
        table: TokenTable | None,
        targets: Targets,
        source: str,
        seed: int,
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
            "classes_": targets.classes,
            "net_": net,
            "_table": table,
            "embedding_source_": source,
            "n_iter_": len(net.history),
            "_seed": seed,
        }

    def _logits(self, X: Any) -> np.ndarray:
        """Outputs of the network; (n_texts, n_outputs), float64."""
        check_is_fitted(self, "net_")
        ids, _ = self._known_ids(X)
        outputs = logits(self._placed_net(), ids).astype(np.float64)
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
        place(self.net_, "cpu" if lost_cuda else self._find_device())
        return self.net_

    def __getstate__(self) -> dict[str, Any]:
        state = {**super().__getstate__(), **versions()}
        if "net_" in state:
            table = state["_table"]
            state["net_"] = stored = stored_net(state["net_"], table)
            if table is not None and table.vectors is not None and not stored["shared"]:
                state["_table"] = TokenTable(table.words)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = check_versions(self, state)
        if "net_" in state:
            state["net_"] = restored_net(state["net_"], state["_table"])
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.random_state is None
        return tags


def _n_ids(ids: np.ndarray, table: TokenTable | None) -> int:
    """How many ids the network must know."""
    return len(table) if table is not None else max(UNKNOWN_ID, int(ids.max())) + 1


def _weighted_rows(
    ids: np.ndarray, encoded: np.ndarray, weight: np.ndarray | None, device: str
) -> Rows:
    """Rows without those of weight 0, and with the others' scaled to a mean of 1."""
    if weight is None:
        return Rows(ids, encoded, device=device)
    kept = weight > 0
    weight = weight[kept]
    return Rows(ids[kept], encoded[kept], weight / weight.mean(), device)
