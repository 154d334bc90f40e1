"""Chromium as people use it: pages that fail loudly and ask nobody outside."""

import asyncio
import os
import shutil
import tarfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
KEPT = Path(os.environ.get("SOVEREIGN_ARTIFACTS", "artifacts")) / "browser"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"]
AXE = "axe-core@4.14.1"
WITHIN_MS = 60_000


@asynccontextmanager
async def chromium(base: str, width: int = 1440, height: int = 900):
    """Yield a page on `base`; at the end nothing may have failed or left the host."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await browser.new_context(
            base_url=base, viewport={"width": width, "height": height}
        )
        page = await context.new_page()
        page.set_default_timeout(WITHIN_MS)
        failed, outside = [], []
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("request", lambda asked: _is_outside(asked.url, base) and outside.append(asked.url))
        try:
            yield page
        finally:
            await browser.close()
    assert (failed, outside) == ([], [])


def _is_outside(url: str, base: str) -> bool:
    return not url.startswith((base, base.replace("http", "ws", 1), "data:", "blob:"))


async def opened(page: Page, path: str) -> None:
    """Open a page and wait until its websocket is there: before that no button works."""
    await page.goto(path)
    await page.wait_for_function("window.socket && window.socket.connected")


async def keep(page: Page, name: str) -> None:
    """Keep a picture for whoever looks at the run."""
    KEPT.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=KEPT / f"{name}.png", full_page=True)


async def axe(folder: Path) -> str:
    """Return the source of axe-core from npm; skips where it cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    process = await asyncio.create_subprocess_exec(
        npm, "pack", "--silent", AXE, cwd=folder, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    packed = folder / out.decode().strip()
    if process.returncode or not packed.is_file():
        pytest.skip("npm could not fetch axe-core")
    with tarfile.open(packed) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


async def violations(page: Page, source: str) -> list[str]:
    """Return what is seriously or critically inaccessible on the page, one line each."""
    await page.evaluate(source)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
