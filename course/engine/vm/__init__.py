"""The VM engine: a real Docker Engine in a small virtual machine, for any user, with KVM or without.

Enters: Debian's packages, once. Leaves: an engine that is restored from a snapshot in about a second.
May import `course.engine.find`, `course.errors`, `course.folders`.
"""
