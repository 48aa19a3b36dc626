"""The version of the package, which the distribution's metadata is read from."""

__version__ = "0.1.0"
