"""Kafka and MongoDB with passwords and certificates, and what every client makes of them."""
