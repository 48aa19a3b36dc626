"""Max over time: values and gradients of plain convolutions, and the products they use."""

import pytest
import torch

from sktextcnn._network.max_over_time import (
    _max,
    _multiply,
    empty_products,
    max_of_products,
    max_over_time,
    max_over_time_dense,
    project,
)


@pytest.mark.parametrize(
    ("rows_tuned", "weights_tuned"), [(True, True), (False, True), (True, False)]
)
@pytest.mark.parametrize("sizes", [(1,), (3, 4, 5), (2, 7)], ids=str)
def test_the_gradients_of_max_over_time_are_those_of_finite_differences(
    sizes, rows_tuned, weights_tuned
):
    generator = torch.Generator().manual_seed(0)
    positions = torch.tensor([[1, 2, 3, 4, 5], [4, 3, 0, 0, 0], [0, 0, 0, 5, 1], [0, 0, 0, 0, 0]])
    rows = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    rows[0] = 0
    weights = [torch.randn(2, 3, size, generator=generator, dtype=torch.float64) for size in sizes]
    inputs = [
        rows.requires_grad_(rows_tuned),
        *(weight.requires_grad_(weights_tuned) for weight in weights),
    ]

    def pooled(rows, *weights):
        return max_over_time(positions, rows, weights)

    assert torch.autograd.gradcheck(pooled, inputs)


@pytest.mark.parametrize("n_words", [2, 255, 256, 257, 600])
def test_look_ups_equal_the_dense_convolution_in_training_and_in_prediction(n_words):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(n_words, 3, generator=generator, dtype=torch.float64)
    rows[0] = 0
    positions = torch.randint(0, n_words, (5, 40), generator=generator)
    weights = [torch.randn(4, 3, size, generator=generator, dtype=torch.float64) for size in (2, 3)]
    tensors = [tensor.requires_grad_() for tensor in (rows, *weights)]
    outputs = max_over_time(positions, rows, weights)
    expected = max_over_time_dense(positions, rows, weights)
    torch.testing.assert_close(outputs, expected, rtol=1e-12, atol=1e-12)
    factors = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    factors[factors < 0] = 0
    gradients = torch.autograd.grad((outputs * factors).sum(), tensors)
    expected_gradients = torch.autograd.grad((expected * factors).sum(), tensors)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        # The gradient of row 0, which is padding, is not used.
        words = slice(1, None) if gradient.shape == rows.shape else slice(None)
        torch.testing.assert_close(
            gradient[words], expected_gradient[words], rtol=1e-12, atol=1e-12
        )
    with torch.no_grad():
        products = empty_products(n_words, weights, torch.float64)
        project(products, n_words, torch.arange(n_words), rows, weights)
        of_products = max_of_products(positions, products, (2, 3))
    torch.testing.assert_close(of_products, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_words", [1, 7, 300])
def test_the_product_is_that_of_double_precision_with_any_number_of_threads(n_words):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(n_words, 30, generator=generator)
    kernels = torch.randn(120, 30, generator=generator)
    expected = rows.double() @ kernels.double().T
    before = torch.get_num_threads()
    products = []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            products.append(_multiply(rows, kernels))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(products[0].double(), expected, rtol=1e-5, atol=1e-5)
    assert all(torch.equal(product, products[0]) for product in products)


def test_the_first_of_equal_windows_has_the_maximum():
    generator = torch.Generator().manual_seed(0)
    sums = torch.randint(0, 4, (30, 5, 40), generator=generator).float()
    sums[:7, 0] = -torch.inf
    expected = sums.max(dim=0)
    # More ranks than windows, as a narrow kernel has.
    ranks = torch.arange(34, 0, -1).float()[:, None, None]
    values, rank = _max(sums.clone(), ranks)
    assert torch.equal(values, expected.values)
    # torch does not specify which of equal values max(dim=0) returns; here it is the first.
    first = (sums == expected.values).float().argmax(dim=0)
    assert torch.equal(len(sums) - rank.long(), first)
