"""The rooms behind ``KafkaIntegrationManager`` and ``run_streaming_pipeline.py``.

``environment`` and ``workers`` run the worker processes, ``status`` gathers numbers and ``watch``
keeps doing so, ``load`` brings the history in, ``display`` and ``summary`` show it all, ``options``
reads the command line, and ``run`` is the order of events.
"""
