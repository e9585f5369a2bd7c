"""``consilium keys``: where the public half of the local signing key is."""

import typer


def command() -> None:
    """Print the file with the local public keys (a JWKS), made where there is none.

    For services that run apart on this machine (CONSILIUM_JWKS_FILE), so that they believe `consilium token`."""
    from consilium.local import signing_key
    from consilium.mistakes import reported
    from shared.security.keys import jwks_path
    from shared.security.settings import SecuritySettings

    with reported("No keys."):
        settings = SecuritySettings()
        signing_key(settings.data_dir)
    typer.echo(jwks_path(settings.data_dir))
