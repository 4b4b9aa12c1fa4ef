"""Agents that call agents: one asks another and is told its answer, or hands over to it."""
