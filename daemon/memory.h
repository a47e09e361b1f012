/* SPDX-License-Identifier: MIT */
/* memory - what is freed goes back to the system: a node that was busy once is small again */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

/**
 * memory_settle() - Have large blocks of this process come from the system, and go back when freed
 *
 * Left alone, malloc(3) learns from the first large block that is freed to keep the next ones.
 */
void memory_settle(void);

/**
 * memory_give_back() - Give back what many small blocks have left, after work that took many
 */
void memory_give_back(void);

#endif /* DAEMON_MEMORY_H */
