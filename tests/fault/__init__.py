# SPDX-License-Identifier: MIT
"""The fault sweeps: see sweep.py."""
