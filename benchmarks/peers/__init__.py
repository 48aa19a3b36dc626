"""The competitors, each as its experts write it; their frameworks are imported by them alone.

Each module has some of the generator functions ``training`` (a turn is the seconds of an
epoch), ``labelling`` (of labelling all texts) and ``latency`` (the median seconds of labelling
one text).
"""
