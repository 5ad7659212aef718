"""MkDocs' hook for links that leave `docs/`: the sources and campaigns beside it are no pages of the site.

They lead into the repository, or into the checkout where `repo_url` names none. One that leads nowhere warns.
"""

import logging
import os
import re
from pathlib import Path
from typing import Any

SCHEME = "beyond:"
"""stands before a path from the checkout's root where MkDocs checks links, so that it lets them be"""
IN_MARKDOWN = re.compile(r"(?<=\]\()\.\./(?=[^)\s]+)")
IN_HTML = re.compile(rf'(?<=href="){SCHEME}(?P<path>[^"#]+)')
log = logging.getLogger("mkdocs.hooks.beyond")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Mark the links of a page that leave the folder."""
    return IN_MARKDOWN.sub(SCHEME, markdown)


def on_page_content(html: str, page: Any, config: Any, **_: Any) -> str:
    """Give each of them its address."""
    root = Path(config.docs_dir).parent
    here = Path(page.file.abs_dest_path).parent

    def address(link: re.Match[str]) -> str:
        path = link["path"]
        target = root / path
        if not target.exists():
            log.warning("%s: ../%s is not there", page.file.src_uri, path)
        if not config.repo_url:
            return os.path.relpath(target, here)
        return f"{config.repo_url.rstrip('/')}/{'tree' if target.is_dir() else 'blob'}/main/{path}"

    return IN_HTML.sub(address, html)
