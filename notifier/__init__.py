"""A daily digest of uncollected MALL Delivery parcels that wait for their seller."""

__version__ = "0.1.0"
