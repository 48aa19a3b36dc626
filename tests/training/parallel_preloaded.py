"""Imported by the server that the processes of `test_data_parallel` are forked from."""

from tests.training import parallel_cases

# What is imported on first use is then there for all of them.
parallel_cases.fitted()
