"""Runs recorded cases of the real PIM's behaviour against the simulator."""
