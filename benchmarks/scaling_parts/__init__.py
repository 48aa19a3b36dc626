"""The parts of benchmarks/scaling.py, a module each."""
