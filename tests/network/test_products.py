"""Remembered products: the outputs stay the same, and changes of weights discard products."""

import copy
import os
import pickle
import threading

import numpy as np
import pytest
import torch

from sktextcnn import TextCNNClassifier
from sktextcnn._network import products
from sktextcnn._network.modules import KimCNN, StackedCNN
from sktextcnn._training.row_adam import RowAdam

N_IDS = 40


def random_network(**params):
    torch.manual_seed(0)
    network = KimCNN(N_IDS, 6, 3, num_filters=5, **params).eval()
    with torch.no_grad():
        for parameter in network.state_dict().values():
            parameter.uniform_(-1, 1)
        for matrix in network.embedding.matrices:
            matrix[0] = 0
    return network


def random_ids(n_texts=20):
    generator = np.random.default_rng(0)
    ids = generator.integers(1, N_IDS, (n_texts, 9))
    for row, length in enumerate(generator.integers(0, 10, n_texts)):
        ids[row, length:] = 0
    return torch.tensor(ids)


def of_look_ups(network, ids):
    with torch.no_grad():
        return network(ids)


def of_the_dense_convolution(network, ids):
    dense = copy.deepcopy(network)
    dense.convolution = "dense"
    with torch.no_grad():
        return dense(ids)


@pytest.mark.parametrize("multichannel", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("most_bytes", [1 << 28, 0], ids=["remembered", "too large to be"])
def test_outputs_are_those_of_the_dense_convolution(multichannel, dtype, most_bytes, monkeypatch):
    monkeypatch.setattr(products, "MOST_BYTES", most_bytes)
    network = random_network(multichannel=multichannel).to(dtype)
    ids = random_ids()
    for part in (ids[:3], ids[3:4], ids, ids.int()):
        torch.testing.assert_close(
            of_look_ups(network, part), of_the_dense_convolution(network, part)
        )
    assert (network._products._memory is None) == (most_bytes == 0)


def step_of(make_optimizer):
    def change(network):
        network.embedding.sparse = make_optimizer is RowAdam
        optimizer = make_optimizer(network.parameters(), lr=0.1, fused=True)
        network(random_ids()).square().sum().backward()
        optimizer.step()

    return change


def fill_in_place(network):
    with torch.no_grad():
        network.embedding.weight[3] = 7


def replace_parameter(network):
    network.convs[0].weight = torch.nn.Parameter(torch.ones_like(network.convs[0].weight))


def load_state(network):
    state = {name: value + 1 for name, value in network.state_dict().items()}
    state["embedding.weight"][0] = state["embedding.static"][0] = 0
    network.load_state_dict(state)


def change_static(network):
    network.embedding.static.mul_(2)


def to_double(network):
    network.double()


def set_data_while_training(network):
    network.train()
    network.embedding.weight.data[3] = 7
    network.eval()


@pytest.mark.parametrize(
    "change",
    [
        step_of(torch.optim.Adam),
        step_of(RowAdam),
        fill_in_place,
        replace_parameter,
        load_state,
        change_static,
        to_double,
        set_data_while_training,
    ],
)
def test_products_are_forgotten_when_the_weights_change(change):
    network = random_network(multichannel=True)
    ids = random_ids()
    before = of_look_ups(network, ids)
    change(network)
    after = of_look_ups(network, ids)
    torch.testing.assert_close(after, of_the_dense_convolution(network, ids))
    assert not torch.allclose(after, before.to(after.dtype)) or change is to_double


def remembered(network):
    return (network._products._memory.row_of >= 0).nonzero().flatten().tolist()


def test_only_the_words_of_a_call_are_projected():
    network = random_network()
    of_look_ups(network, torch.tensor([[3, 5, 0]]))
    assert remembered(network) == [0, 3, 5]
    of_look_ups(network, torch.tensor([[5, 9]]))
    assert remembered(network) == [0, 3, 5, 9]


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_the_memory_fills_up_with_the_words(dtype):
    network = random_network()
    for first in range(1, N_IDS - 2, 3):
        ids = torch.tensor([[first, first + 1, first + 2, 0], [2, first, 0, 0]], dtype=dtype)
        torch.testing.assert_close(
            of_look_ups(network, ids), of_the_dense_convolution(network, ids)
        )
    assert len(remembered(network)) == N_IDS


def test_a_full_memory_begins_anew_with_the_words_of_the_call(monkeypatch):
    network = random_network()
    bytes_of_word = 4 * 5 * (3 + 4 + 5)
    monkeypatch.setattr(products, "MOST_BYTES", 4 * bytes_of_word)
    for words, kept in (
        ([3, 5], [0, 3, 5]),
        ([7, 3], [0, 3, 5, 7]),
        ([9, 7], [0, 7, 9]),
        ([1, 2, 3, 4], [0, 7, 9]),
        ([9], [0, 7, 9]),
    ):
        ids = torch.tensor([words])
        torch.testing.assert_close(
            of_look_ups(network, ids), of_the_dense_convolution(network, ids)
        )
        assert remembered(network) == kept


# torch 2.4 and 2.5 warn whenever a tensor is unpickled.
@pytest.mark.filterwarnings("ignore:You are using `torch.load`:FutureWarning")
def test_products_are_neither_pickled_nor_copied():
    network = random_network()
    empty = len(pickle.dumps(network))
    of_look_ups(network, random_ids())
    assert network._products._memory is not None
    assert len(pickle.dumps(network)) == empty
    assert pickle.loads(pickle.dumps(network))._products._memory is None
    assert copy.deepcopy(network)._products._memory is None


def test_a_further_partial_fit_is_seen():
    ids = random_ids().numpy()
    y = np.arange(len(ids)) % 2
    classifier = TextCNNClassifier(
        embedding_dim=300, num_filters=4, learning_rate=0.1, random_state=0
    )
    classifier.partial_fit(ids, y, classes=[0, 1])
    before = classifier.predict_proba(ids)
    classifier.partial_fit(ids, y)
    after = classifier.predict_proba(ids)
    assert not np.allclose(before, after)
    fresh = pickle.loads(pickle.dumps(classifier)).predict_proba(ids)
    np.testing.assert_array_equal(after, fresh)


def test_an_interrupt_leaves_no_wrong_products(monkeypatch):
    network = random_network()
    of_look_ups(network, torch.tensor([[3, 5]]))

    class Interrupted(products._Memory):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "n_words" and value:
                raise KeyboardInterrupt

    memory = network._products._memory
    memory.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        of_look_ups(network, torch.tensor([[7, 8]]))
    memory.__class__ = products._Memory
    ids = torch.tensor([[9, 8, 7, 3, 5]])
    torch.testing.assert_close(of_look_ups(network, ids), of_the_dense_convolution(network, ids))
    assert remembered(network) == [0, 3, 5, 7, 8, 9]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_adds_words_even_if_its_parent_was_adding_some():
    network = random_network()
    of_look_ups(network, torch.tensor([[3, 5]]))
    with network._products._add_lock.current:
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)  # The threads of the parent are not there.
            of_look_ups(network, torch.tensor([[7]]))
            os._exit(int(remembered(network) != [0, 3, 5, 7]))
        assert os.waitpid(child, 0)[1] == 0
        # The lock is still held in the parent; other threads do not wait for it.
        ids = torch.tensor([[7, 3]])
        torch.testing.assert_close(
            of_look_ups(network, ids), of_the_dense_convolution(network, ids)
        )
        assert remembered(network) == [0, 3, 5]


@pytest.mark.parametrize("most_words", [1000, 30, 12])
def test_threads_share_the_products(most_words, monkeypatch):
    monkeypatch.setattr(products, "MOST_BYTES", most_words * 4 * 5 * (3 + 4 + 5))
    network = random_network()
    ids = random_ids(200)
    expected = of_look_ups(copy.deepcopy(network), ids)
    outputs = {}

    def work(worker):
        parts = ids.split(7)
        order = range(len(parts)) if worker % 2 else reversed(range(len(parts)))
        found = {i: of_look_ups(network, parts[i]) for i in order}
        outputs[worker] = torch.cat([found[i] for i in range(len(parts))])

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in outputs.values():
        torch.testing.assert_close(found, expected)
    assert len(outputs) == 4


@pytest.mark.parametrize(
    ("share_to_double", "expected"), [(1, [4, 8, 16, 32, N_IDS]), (0.25, [4, 8, N_IDS])]
)
def test_the_memory_grows_with_the_words(share_to_double, expected, monkeypatch):
    monkeypatch.setattr(products, "_FEWEST_ROWS", 4)
    monkeypatch.setattr(products, "_SHARE_TO_DOUBLE", share_to_double)
    network = random_network()
    sizes, held = [], []
    for first in range(1, N_IDS - 2, 2):
        ids = torch.tensor([[first, first + 1, 0]])
        torch.testing.assert_close(
            of_look_ups(network, ids), of_the_dense_convolution(network, ids)
        )
        memory = network._products._memory
        sizes.append(memory.n_rows)
        held.append((memory, int(memory.row_of.max())))
    assert sorted(set(sizes)) == expected
    # A memory that was read before it grew only refers to rows that it has.
    assert all(most < memory.n_rows for memory, most in held)
    assert all(int(memory.row_of.max()) < memory.n_rows for memory, _ in held)


def test_a_single_word_takes_little_memory():
    torch.manual_seed(0)
    network = KimCNN(100_000, 300, 2).eval()
    of_look_ups(network, torch.tensor([[7]]))
    assert network._products._memory.products.nbytes < 2 << 20


def test_predictions_in_inference_mode_and_outside_share_the_products():
    ids = random_ids().numpy()
    y = np.arange(len(ids)) % 2
    classifier = TextCNNClassifier(embedding_dim=5, num_filters=4, random_state=0, max_epochs=1)
    classifier.fit(ids, y)
    expected = pickle.loads(pickle.dumps(classifier)).predict_proba(ids)
    with torch.inference_mode():
        np.testing.assert_array_equal(classifier.predict_proba(ids[:3]), expected[:3])
    np.testing.assert_array_equal(classifier.predict_proba(ids), expected)
    with torch.inference_mode():
        np.testing.assert_array_equal(classifier.predict_proba(ids[::-1]), expected[::-1])


def test_weights_that_were_made_in_inference_mode_are_not_remembered():
    with torch.inference_mode():
        network = random_network()
        ids = random_ids()
        torch.testing.assert_close(
            of_look_ups(network, ids), of_the_dense_convolution(network, ids)
        )
    assert network._products._memory is None


@pytest.mark.parametrize("make", [KimCNN, StackedCNN])
def test_training_is_switched_in_all_layers(make):
    network = make(N_IDS, 6, 3, num_filters=5)
    assert network.eval() is network
    assert not any(module.training for module in network.modules())
    network.head.train()
    assert network.eval() is network
    assert not network.head.training
    assert network.train() is network
    assert all(module.training for module in network.modules())
