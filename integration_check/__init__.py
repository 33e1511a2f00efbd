"""What ``test_kafka_integration.py`` does: checks a deployment from end to end.

``options`` reads the command line, ``samples`` says what is sent and how it must be stored,
``steps`` does it, ``report`` shows it, ``command`` ties them together.
"""
