# SPDX-License-Identifier: MIT
"""Containers without an engine, and a second implementation of the protocol.

netns      network namespaces, the switch between them, sockets inside them
container  a container: namespaces, overlay root, volumes, PID 1, captured logs
node       a container that runs wgmesh-init and wgmesh
leak       what no log may show
peer       an existing node of a mesh, scripted, in Python
lab        all of the above for one test, cleaned up together
wait       eventually(): the only way anything here waits

Nothing on the machine changes: every namespace is held by a descriptor or a process of the test,
so it goes when the test goes, however that ends.
"""
