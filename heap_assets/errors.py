"""The errors that a user can act on: one family, each message complete in itself.

Here: what went wrong with settings, sources and dumps. Not here: bugs, which stay plain Python exceptions.
"""


class HeapAssetsError(Exception):
    """Base of every error whose message is meant for the person who runs the pipeline."""


class SettingsError(HeapAssetsError):
    """An environment variable or setting has a value that cannot be used; the message names it."""


class ConfigurationError(HeapAssetsError):
    """The analytics configuration (HEAP_CONFIG) is wrong; the message names file, key, value and what is allowed."""


class SourceError(HeapAssetsError):
    """The export cannot be listed or read: bucket, credentials, network, or a missing object."""


class ObjectMissingError(SourceError):
    """One object of the export does not exist (any more)."""


class UnreadableFileError(HeapAssetsError):
    """A file that a manifest lists is there but is not what it should be; the message says why."""


class ManifestError(HeapAssetsError):
    """A manifest is not what a manifest must be; the message names the file and the place."""


class LakeError(HeapAssetsError):
    """The lake cannot be read or written, or another sync is using it."""


class DiskError(HeapAssetsError):
    """A disk is full, read-only or not ours to write; the message names the path and what to do."""


class KeyCheckError(HeapAssetsError):
    """Rows share a key, or a dump is mostly without ids; nothing is published. The message names tables and keys."""
