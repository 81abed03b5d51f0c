"""The command line: `lensy find`, `train`, `evaluate`, `exam`, `scorecard`, `reproduce`, `doctor`.

What a command needs is imported when it runs, so that help comes at once.
"""
