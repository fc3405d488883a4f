"""The explorer: its files are as released, come from here, and run nothing else."""

import hashlib
import re

import pytest

from gateway.docs import explorer

LISTED = {
    name: digest
    for digest, name in (
        line.split() for line in (explorer.ASSETS.parent / "assets.sha256").read_text().splitlines()
    )
}


def test_every_file_is_listed_with_its_hash_and_nothing_else_lies_there():
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in explorer.ASSETS.iterdir()
    }

    assert LISTED == found


def test_no_file_names_a_registry_or_a_host_that_would_serve_it():
    hosts = re.compile(rb"unpkg|jsdelivr|cdnjs|registry\.n[p]mjs|yarnpkg|p[y]pi", re.IGNORECASE)

    assert [] == [
        file.name for file in explorer.ASSETS.iterdir() if hosts.search(file.read_bytes())
    ]


def test_the_page_holds_no_script_or_style_of_its_own():
    page = (explorer.ASSETS / "explorer.html").read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"(?:src|href)=[\"'](?!/)", page)


async def test_the_explorer_is_served_under_a_policy_that_lets_nothing_else_run(world_for):
    world = await world_for()

    async with world.client() as client:
        page = await client.get("/docs")
        files = [
            (await client.get(address)).headers["content-type"]
            for address in re.findall(r"(?:src|href)=\"(/docs/[^\"]+)\"", page.text)
        ]
        unknown = await client.get("/docs/assets/../explorer.py")
        other = await client.get("/docs/assets/LICENSE")

    policy = page.headers["content-security-policy"]
    assert 200 == page.status_code
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert 4 == len(files)
    assert {400, 404} >= {unknown.status_code, other.status_code}


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/assets/swagger-ui.css"])
async def test_where_it_is_internal_others_do_not_see_it(world_for, path):
    world = await world_for(docs_for="internal")

    async with world.client() as outside, world.client(address="127.0.0.1") as inside:
        assert 404 == (await outside.get(path)).status_code
        assert 200 == (await inside.get(path)).status_code
