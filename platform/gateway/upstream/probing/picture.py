"""The picture that models are shown when they are tested."""

import base64

from gateway.types import PromptImage

# A white square of 32 x 32: servers refuse smaller ones.
_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKElEQVR42u3NQQEAAA"
    "QEMPTvfErw2wqsk9SnqWcCgUAgEAgEAoHgygLH8QM9BsqtpQAAAABJRU5ErkJggg=="
)
DOT_IMAGE = PromptImage("image/png", base64.b64decode(_PNG))
