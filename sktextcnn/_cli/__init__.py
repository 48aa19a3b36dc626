"""The command line: a module for each command, and what they share."""

from sktextcnn._cli.entry import main as main
