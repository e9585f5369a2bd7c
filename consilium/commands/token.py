"""``consilium token``: a bearer token for local use, and nothing else on stdout."""

from typing import Annotated

import typer

from shared.security.caller import Discipline, Role


def command(
    role: Annotated[Role, typer.Option(help="What the caller is.")],
    discipline: Annotated[Discipline | None, typer.Option(help="A clinician's discipline.")] = None,
    fhir_user: Annotated[
        str | None, typer.Option(help="The FHIR resource of the caller: Practitioner/x, Patient/x ...")
    ] = None,
    organization: Annotated[str | None, typer.Option(help="For whom the caller works: Organization/y.")] = None,
    ttl: Annotated[float, typer.Option(help="Hours until it expires.", min=0.001, max=24 * 365)] = 12.0,
) -> None:
    """Print a token signed with the local key of CONSILIUM_DATA_DIR."""
    from datetime import timedelta

    from consilium.local import signing_key
    from consilium.mistakes import reported
    from shared.errors import ConsiliumError
    from shared.security.caller import Caller
    from shared.security.keys import jwks_path
    from shared.security.settings import SecuritySettings
    from shared.security.tokens import mint

    with reported("No token."):
        settings = SecuritySettings()
        known = jwks_path(settings.data_dir).exists()
        key = signing_key(settings.data_dir)
    if not known:
        # in another folder than the server's the token would be refused, and nobody would know why
        folder = settings.data_dir.resolve()
        typer.echo(f"A new local key was made in {folder}: only servers on that folder believe the token.", err=True)
    subject = fhir_user or organization or f"local:{role}"
    caller = Caller(subject, role, discipline=discipline, fhir_user=fhir_user, organization=organization)
    try:
        token = mint(
            caller,
            timedelta(hours=ttl),
            key,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )
    except ConsiliumError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(token)
