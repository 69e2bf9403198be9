"""The jobs in Redis that tell workers to look: how they are written, read and never believed."""
