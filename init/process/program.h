/* SPDX-License-Identifier: MIT */
/* program - find the wgmesh program that belongs to this wgmesh-init */
#ifndef INIT_PROCESS_PROGRAM_H
#define INIT_PROCESS_PROGRAM_H

/**
 * program_find_wgmesh() - Find the wgmesh program
 * @envp:	Environment, for its PATH
 *
 * Looks beside this program, then in PATH.
 *
 * Return: path or name for execvp(3), which lives as long as the program; NULL when there is none
 */
const char *program_find_wgmesh(char *const *envp);

/**
 * program_find_path() - Find the file that a program name stands for
 * @name:	Path, or name to look up in PATH
 * @envp:	Environment, for its PATH
 *
 * Return: its path, good until the next call; NULL when there is none
 */
const char *program_find_path(const char *name, char *const *envp);

#endif /* INIT_PROCESS_PROGRAM_H */
