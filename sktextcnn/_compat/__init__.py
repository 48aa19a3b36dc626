"""Private parts of other libraries, each behind a probe and with a public fallback.

Nothing else in the package uses what other libraries do not document. A probe makes a tiny call,
since a name may stay while its meaning changes. Each library has a module of its own, which is
imported as it is, so that one library is not loaded for another.
"""
