"""Devices that get pushes, and which push services they may name."""
