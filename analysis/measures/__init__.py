"""The figures of the reports as plain mathematics: counts in, figures with n and interval out."""
