"""Guardrails: rules on what goes to a model, comes from it, and goes through tools."""
