"""README and pages show the figures that the benchmarks have measured."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[2]


def load(path):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


figures = load(ROOT / "docs" / "figures.py")
TABLES = {"Accuracy on MR": [["", "accuracy", "seconds"], ["CNN", "80.1 ± 1.3", "27"]]}


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield load(ROOT / "benchmarks" / "report.py")
    # So general a name must not be found by other tests.
    sys.modules.pop("settings", None)


@pytest.mark.parametrize("page", figures.pages(), ids=lambda page: page.name)
def test_pages_show_the_measured_figures(page):
    text = page.read_text(encoding="utf-8")
    assert figures.filled(text, figures.measured()) == text, "run make figures"


@pytest.mark.parametrize("page", ["README.md", "docs/faq.md", "docs/performance.md"])
def test_no_cell_is_a_figure_that_was_copied_by_hand(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "<!-- " in text
    assert re.findall(r"^\|.*\| *[\d.,]+ *\|.*$", text, re.M) == []


def test_a_table_is_replaced():
    page = "<!-- table: Accuracy on MR -->\nold\n\n<!-- end -->\nafter\n"
    filled = figures.filled(page, TABLES)
    assert filled == (
        "<!-- table: Accuracy on MR -->\n\n"
        "|  | accuracy | seconds |\n|---|---|---|\n| CNN | 80.1 ± 1.3 | 27 |\n\n"
        "<!-- end -->\nafter\n"
    )
    assert figures.filled(filled, TABLES) == filled


def test_single_figures_are_replaced():
    page = "{}<!-- Accuracy on MR / CNN --> % in {}<!-- Accuracy on MR / CNN / seconds --> s"
    assert figures.filled(page.format("79.0", "0"), TABLES) == page.format("80.1", "27")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("1<!-- Accuracy on TREC / CNN -->", "no table 'Accuracy on TREC'"),
        ("<!-- table: Accuracy on TREC -->\n<!-- end -->", "no table 'Accuracy on TREC'"),
        ("1<!-- Accuracy on MR / RNN -->", "one figure 'Accuracy on MR / RNN'"),
        ("1<!-- Accuracy on MR / CNN / hours -->", "one figure 'Accuracy on MR / CNN / hours'"),
        ("1 <!-- Accuracy on MR / CNN -->", "must stand directly after a number"),
    ],
)
def test_marks_without_a_figure_are_errors(page, message):
    with pytest.raises((KeyError, ValueError), match=message):
        figures.filled(page, TABLES)


def test_a_benchmark_replaces_its_own_table_alone(report, tmp_path, monkeypatch):
    path = tmp_path / "measured.json"
    path.write_text('{"Other": {"command": "other", "rows": [["a"]]}, "Speed": {"rows": []}}')
    argv = ["/home/me/benchmarks/engine.py", "--data", "/home/me/data", "--record"]
    monkeypatch.setattr(sys, "argv", argv)
    report.record_table("Speed", [{"": "ours", "texts/s": 122191.2, "ratio": 0.12345}], path)
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert entries["Other"] == {"command": "other", "rows": [["a"]]}
    assert entries["Speed"]["rows"] == [["", "texts/s", "ratio"], ["ours", "122,191", "0.123"]]
    assert entries["Speed"]["command"] == "python benchmarks/engine.py --data data --record"
    assert "sktextcnn" in entries["Speed"]["machine"]


def test_the_file_is_written_as_the_benchmarks_write_it(report):
    text = report.MEASURED.read_text(encoding="utf-8")
    assert report._dumped(json.loads(text)) == text


# Plots ----------------------------------------------------------------------------------

PLOTS = sorted(
    {
        name
        for page in figures.pages()
        for name in re.findall(r"plot:: plots/tables\.py (\w+)", page.read_text(encoding="utf-8"))
    }
)


@pytest.fixture(scope="module")
def plots():
    tables = load(ROOT / "docs" / "plots" / "tables.py")
    tables.DOCS = ROOT / "docs"
    backend = plt.get_backend()
    plt.switch_backend("agg")
    yield tables
    plt.close("all")
    plt.switch_backend(backend)


@pytest.mark.parametrize("name", PLOTS)
def test_the_plots_of_pages_find_their_rows_in_the_tables(plots, name):
    getattr(plots, name)()
    assert all(ax.has_data() for ax in plt.gcf().axes)
    plt.close("all")


def test_numbers_and_deviations_are_read_from_cells(plots):
    assert [plots.number(cell) for cell in ("1,017", "57.9 ± 3.3", "0.03")] == [1017, 57.9, 0.03]
    assert plots.deviation("57.9 ± 3.3") == 3.3


def test_the_plot_of_the_defaults_compares_rows_as_the_page_says(plots):
    plots.defaults()
    (ax,) = plt.gcf().axes
    widths = [bar.get_width() for bar in ax.containers[0]]
    changes = dict(zip((label.get_text() for label in ax.get_yticklabels()), widths, strict=True))
    text = (ROOT / "docs" / "defaults.md").read_text(encoding="utf-8")

    def mean(name):
        row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", text, re.M)[1]
        return sum(map(float, row.split("|"))) / 3

    reference = mean("`unseen_words=0`")
    before = mean("`token_dropout=0.1` (before)")
    assert changes["unseen_words=0"] == pytest.approx(reference - mean("**the defaults**"))
    assert changes["finetune=False"] == pytest.approx(mean("`finetune=False`") - reference)
    assert changes["token_dropout=0.1"] == pytest.approx(before - reference)
    assert changes["max_epochs=10"] == pytest.approx(mean("`max_epochs=10` (before)") - before)
    plt.close("all")
