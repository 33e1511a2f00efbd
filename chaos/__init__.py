"""Breaks a deployment on purpose while data flow through it, then judges what it made of them.

``make chaos`` runs it; ``python -m chaos --help`` tells how. ``messages`` and ``poison`` say what
is sent, ``feed`` sends it, ``arena`` has the servers and workers, ``faults`` break them, ``pauses``
watches how long nothing moves meanwhile, ``story`` puts all in order, ``report`` says how it went.

``judge`` knows the program by its documentation alone: it reads Kafka and MongoDB with their own
clients, works out what must be there from the messages that were sent, and has indicators computed
by `ta`. Nothing here imports the program; only ``embedded`` is used, for the servers. The exception
is ``controls``: the program with one fault each, made on purpose, which the judge must find.
"""
