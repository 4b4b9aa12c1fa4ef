"""How the pages' files are stored: under a hash of their content, compressed beforehand."""

from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django's own patterns let `import { toExport } from` be an `export … from` too, and then hash the
# name twice. In one pattern nothing is matched twice, and what is imported has names alone.
_FILE = r"""['"](?P<url>[./][^'"]+)['"]\s*"""
_WHAT = r"(?-i:(?:import|export)(?:[\w$\s{},*]+?from)?)\s*"
_IMPORTS = (
    (rf"(?P<matched>(?<![\w$.])(?P<what>{_WHAT}){_FILE};)", """%(what)s"%(url)s";"""),
    (rf"(?P<matched>(?<![\w$.])(?-i:import)\(\s*{_FILE}\))", """import("%(url)s")"""),
)
# pdf.js asks for its parts by their names, so the name of its folder holds its version.
_KEEPS_ITS_NAMES = "vendor/pdfjs-"


class QuickCompressor(Compressor):  # type: ignore[misc]
    """Brotli at quality 9: a tenth larger than the best, thirty times faster on the first start."""

    def compress(self, path: str) -> list[str]:
        """What is there is right: the name holds the hash of the content.

        (After an interrupted run `config.preparation` removes it first.)
        """
        done = [path + ending for ending in (".br", ".gz") if Path(path + ending).exists()]
        return done or list(super().compress(path))

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        compressed: bytes = brotli.compress(data, quality=9)
        return compressed


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed, compressed files; relative imports of ES modules are hashed too."""

    # A pass settles the names of modules whose imports are settled: one for each layer of them.
    max_post_process_passes = 30
    # What is in vendor/ is bundled and imports nothing; looking through it takes seconds.
    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("[!v]*.js", _IMPORTS))

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        if name.startswith(_KEEPS_ITS_NAMES):
            return name
        hashed: str = super().hashed_name(name, content, filename)
        return hashed

    def create_compressor(self, **options: object) -> QuickCompressor:
        return QuickCompressor(**options)
