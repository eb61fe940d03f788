"""One claim per file: each holds a `CHECK`, a pure judge over evidence."""
