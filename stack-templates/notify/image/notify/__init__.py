"""Sends news of the home by Apprise: of the host, of OpenCode, of sign-ins and certificates."""
