"""The jobs in Redis that tell workers to look for work: how they are written and read, and why nothing else in Redis is
trusted."""
