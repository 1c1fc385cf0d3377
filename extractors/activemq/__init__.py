"""Legacy stores of Apache ActiveMQ Classic: one decoder of its frames, a module for each store."""
