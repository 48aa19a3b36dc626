"""A page on how good a model is, and its numbers.

`builder` runs the model over labelled texts. `outcomes` keeps what it did, `measures` computes the
numbers, `explained` and `facts` ask the model, and `page` puts all into a template.
"""

from sktextcnn._report.builder import ReportBuilder as ReportBuilder
from sktextcnn._report.facts import changed_parameters as changed_parameters
from sktextcnn._report.facts import parameters as parameters
from sktextcnn._report.reporting import report as report
