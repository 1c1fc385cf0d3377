"""Queues and streams of a live RabbitMQ, read only where reading cannot lose a message."""

from extractors.rabbitmq.store import QueueStore

__all__ = ["QueueStore"]
