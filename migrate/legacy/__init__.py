"""The legacy bus's routing as data: endpoints, rules, and which message reaches what by them.

Three notations are read into one model: tables of rules, RabbitMQ's definitions, ActiveMQ's
configuration. Pure: texts and tables in, endpoints out; nothing is connected to from here.
"""
