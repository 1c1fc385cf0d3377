"""The leaf room: schemas, identity, digests, ports, errors. No driver, no I/O."""
