"""Hostile input into the program as it runs: messages, HTTP requests, answers of providers.

``python -m fuzz`` (``make fuzz``) starts a Kafka, a MongoDB and a worker, sends all of it, and
judges: the worker's process lives on, its memory stays flat while the same messages come again,
each message is a document, a dead letter with its reason, or one of the few that are neither; and
what is valid still lands.

``mutate`` spoils what is good, ``messages`` makes what is sent, ``account`` finds each message
again, ``requests`` asks the web server, ``answers`` has providers answer the sources wrongly,
``run`` puts it together. One seed makes the same input.
"""
