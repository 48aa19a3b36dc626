"""Private parts of other libraries, each with a probe and a public fallback.

No other module of the package uses undocumented parts of other libraries. A probe is a small call
whose result is checked, since the meaning of a name may change. Each library has its own module,
which is imported directly, so that using one library does not import the others.
"""
