"""What can go wrong with somebody's documents.

KnowledgeError
├── UploadRefused      the file is not taken; the text says why
│   ├── FileTooLarge   more than PARLEY_MAX_UPLOAD_MB
│   ├── TooMuchAttached  more than one person may attach
│   ├── QuotaReached   more than a budget of storage has left
│   └── UnsupportedFile (file_types)
├── StorageFull        the disk of the uploads, or its quota, is full
├── Superseded         another version, or another order, came while this one was indexed
└── DocumentGone       deleted while it was being indexed
"""


class KnowledgeError(Exception):
    """The root of this app's errors."""


class UploadRefused(KnowledgeError):
    """The file is not taken. The text is for the person who sent it: an English source string."""


class FileTooLarge(UploadRefused):
    """The file has more bytes than this server takes."""


class TooMuchAttached(UploadRefused):
    """The person has no room left for attachments, or too many that were never sent."""


class QuotaReached(UploadRefused):
    """A budget of storage has no room left for the file; the text is translated already."""


class StorageFull(KnowledgeError):
    """There is no room for the file; the text says what to do: an English source string."""


class DocumentGone(KnowledgeError):
    """The document was deleted while it was being indexed: nothing is left to do."""


class VersionReplaced(KnowledgeError):
    """The embedding model changed while the document was being embedded: index it again."""


class Superseded(KnowledgeError):
    """The document is to hold another version now, or to wait: this job has nothing left to do."""
