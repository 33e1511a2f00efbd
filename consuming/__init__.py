"""From Kafka into MongoDB without a Faust worker, by the same rules as the workers.

``messages`` says what one message becomes, ``loop`` reads, stores and commits in a thread. The
facade over both is :class:`kafka_consumer.StockDataConsumer`.
"""
