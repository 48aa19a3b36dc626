"""The command ``sktextcnn``: one module for each command, and what they share."""

from sktextcnn._cli.entry import main as main
