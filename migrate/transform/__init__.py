"""derive: payload to columns, columns to messages by SQL. Pure."""
