"""Whole runs against everything that goes wrong: servers, kills, disks, clocks and people."""
