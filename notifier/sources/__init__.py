"""Where orders come from: one folder for each kind of source.

Each implements the protocol `Source` of `domain/reading.py`: it reads which orders wait for the
seller, writes nothing, and translates the errors of its neighbour. `values.py` serves all of them.
"""
