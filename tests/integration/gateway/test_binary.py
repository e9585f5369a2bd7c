"""Content of Binaries through the gateway (http://hl7.org/fhir/R4/binary.html#rest)."""

import httpx

from tests.integration.gateway.whole import Whole

CONTENT = bytes(range(256)) * 1_000


async def _passes(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("Binary", content=CONTENT, headers={"content-type": "image/png"})
    assert answer.status_code == 201, answer.text
    address = f"Binary/{answer.json()['id']}"
    answer = await fhir.get(address, headers={"accept": "image/*"})
    assert (answer.content, answer.headers["content-type"]) == (CONTENT, "image/png")
    assert (await fhir.get(address)).json()["contentType"] == "image/png"


async def test_content_passes_in_one_process(whole: Whole) -> None:
    await _passes(whole.fhir)


async def test_content_passes_over_http(apart: httpx.AsyncClient) -> None:
    await _passes(apart)
