"""RabbitMQ over AMQP 0-9-1: one topic exchange, a durable queue an off-ramp and lane.

Frames are written and read by ourselves (`wire`, `link`): a window goes out in one
piece, encoded by the column, and a stream comes in at the rate of its chunks.
"""
