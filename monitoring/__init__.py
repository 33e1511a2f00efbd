"""What a worker says about itself: metrics, readiness, a look at the topics, log lines.

``instruments`` are observed where the work is done, a batch or a checkpoint at a time;
``collector`` reads what is counted anyway, when somebody asks; ``kafka`` asks the brokers beside
the stream, so that neither waits for the other. ``web/`` puts it all onto the worker's port.
"""
