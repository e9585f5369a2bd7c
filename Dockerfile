# One image per service: docker build --build-arg SERVICE=referrals|careplans|notifications|gateway .
# What the stages do and why: docs/adr/0008-images.md
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# The locked dependencies, slimmed and compiled: the same bytes for every service as long as uv.lock stays.
FROM ${PYTHON_IMAGE} AS dependencies
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/consilium \
    PYTHONDONTWRITEBYTECODE=1
RUN pip install --no-cache-dir --root-user-action=ignore --disable-pip-version-check uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock ./
RUN uv sync --quiet --locked --no-dev --no-editable --no-install-project --no-progress
# Sources of compiled modules, type stubs, the packages' own tests, and the FHIR releases that are not ours (R5 lies in
# fhir.resources itself, STU3 below it; R4B stands on neither).
WORKDIR /opt/consilium/lib
RUN find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' \) -delete \
    && find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} + \
    && rm -rf python3*/site-packages/fhir/resources/STU3 \
    && find python3*/site-packages/fhir/resources -maxdepth 1 -type f -name '*.py' ! -name '__init__.py' -delete \
    && python -m compileall -q -j 1 --invalidation-mode unchecked-hash . \
    && mkdir -p /image/opt && mv /opt/consilium /image/opt/ && find /image -exec touch -h -d @315532800 {} +

# Our code: shared/ and one service, the version for importlib.metadata, everything compiled.
FROM ${PYTHON_IMAGE} AS code
ARG SERVICE
WORKDIR /image/app
COPY LICENSE pyproject.toml /build/
COPY shared shared
COPY services/__init__.py services/__main__.py services/
COPY services/${SERVICE} services/${SERVICE}
RUN test -n "${SERVICE}" \
    && version="$(python -c 'import tomllib; print(tomllib.load(open("/build/pyproject.toml", "rb"))["project"]["version"])')" \
    && mkdir "consilium-${version}.dist-info" \
    && printf 'Metadata-Version: 2.1\nName: consilium\nVersion: %s\n' "${version}" > "consilium-${version}.dist-info/METADATA" \
    && cp /build/LICENSE "consilium-${version}.dist-info/" \
    && python -m compileall -q -j 1 --invalidation-mode unchecked-hash . \
    && chmod -R u=rwX,go=rX /image && find /image -exec touch -h -d @315532800 {} +

FROM ${PYTHON_IMAGE}
ARG SERVICE
ARG VERSION=0
ARG REVISION=unknown
ARG CREATED=1980-01-01T00:00:00Z
LABEL org.opencontainers.image.title="consilium-${SERVICE}" \
      org.opencontainers.image.description="FHIR care coordination for chronic pain: ${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# onto /, so that the times of the folders come along: the same input makes the same layers
COPY --from=dependencies /image/ /
COPY --from=code /image/ /
ENV PATH=/opt/consilium/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    CONSILIUM_SERVICE=${SERVICE} CONSILIUM_HOST=0.0.0.0 CONSILIUM_PORT=8080 CONSILIUM_DATA_DIR=/tmp/consilium \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "services", "health"]
ENTRYPOINT ["python", "-m", "services"]
CMD ["api"]
