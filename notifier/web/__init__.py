"""The web server: health for a monitor, and the webhook that the marketplace posts to."""
