"""Measuring chatd beside other servers: what the commands in perf/ are made of."""
