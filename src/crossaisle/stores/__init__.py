"""Stores: what a service has to keep on disk: events, items, exposures, keys and versions."""
