"""NATS JetStream: a stream an off-ramp, a subject a lane.

A stream of its own for each off-ramp, because that is what JetStream counts, limits,
deduplicates and fences by: its sequence tells what lies behind a mark, and an exclusive off-ramp's
messages can each name their predecessor without minding the traffic of others.

The protocol is spoken on a socket of our own: windows go out as they are rendered, and what the
server answers is told from what it did not.
"""
