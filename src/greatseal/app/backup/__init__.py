"""Backups: one encrypted file with everything of an installation, and the way back. Ruled by docs/backup.md."""
