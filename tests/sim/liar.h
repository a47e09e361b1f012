/* SPDX-License-Identifier: MIT */
/* liar - a member of the mesh who sends bad content of every kind, as fast as nodes listen to him */
#ifndef TESTS_SIM_LIAR_H
#define TESTS_SIM_LIAR_H

struct host;

/* Begins to lie from the address of @h, which has no node. */
void liar_begin(struct host *h);
void liar_end(void);

#endif /* TESTS_SIM_LIAR_H */
