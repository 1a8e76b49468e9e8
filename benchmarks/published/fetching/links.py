"""Where a file of the manifest can be got: its direct link, the mirror's, or a page to open by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from benchmarks.published.weights import Weights

MIRROR = "HRNET_MIRROR"
"""Environment variable: an address (http or https) that holds the manifest's files by name, or by the paths of their links."""


def page_of(entry: Weights) -> str:
    """The address to open by hand: the project's page, or the file's own link."""
    return entry.page.split(" ")[0]


def direct_link(entry: Weights) -> str | None:
    """The address that gives the file itself; None where the project shares it by Google Drive, OneDrive or BaiduYun,
    whose pages ask a person before they hand anything out."""
    page = page_of(entry)
    return page if urlsplit(page).path.endswith("/" + entry.file.rsplit("/", 1)[-1]) else None


def mirror(environment: Mapping[str, str] = os.environ) -> str | None:
    """The mirror's address without a slash at its end; None where the variable is not set.

    Raises:
        ValueError: it is no address of http or https.
    """
    address = environment.get(MIRROR, "").strip()
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(
            f"{MIRROR}: expected an address such as https://host/folder, got {address!r}. Correct it, or unset it."
        )
    return address.rstrip("/")


def addresses(entry: Weights, mirror_address: str | None) -> list[str]:
    """Where to ask for a file, in this order: the mirror alone where there is one, else the project's own link; none where
    only a page is known."""
    link = direct_link(entry)
    if mirror_address is None:
        return [] if link is None else [link]
    found = [f"{mirror_address}/{quote(entry.file)}"]
    if link is not None:
        found.append(mirror_address + urlsplit(link).path)
    return found
