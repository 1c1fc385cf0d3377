"""RabbitMQ streams over the stream protocol: a stream for every off-ramp and lane.

The frames are written and read here, on a socket: publishing by the column and matching
confirmations by publishing id leaves no room for a client that makes an object of each message.
"""
