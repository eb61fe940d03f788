"""A BuildKit client session in pure Python: `with share(client, folder) as shared: ...`."""

from course.builds.session.secret import FromEnvironment, Secret
from course.builds.session.share import Share, share
from course.builds.session.transport import NoSession

__all__ = ["FromEnvironment", "NoSession", "Secret", "Share", "share"]
