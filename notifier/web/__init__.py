"""The web server: health for a monitor, and the webhook for the marketplace."""
