/* SPDX-License-Identifier: MIT */
/* ask - questions to the node that runs here, over its control socket */
#ifndef DAEMON_CLI_ASK_H
#define DAEMON_CLI_ASK_H

#include "common/err.h"

#include <jansson.h>

/**
 * struct cli_question - What is asked of whom
 * @path:	Control socket
 * @method:	Method
 * @params:	JSON object; borrowed; NULL for none
 * @patience_ms: How long to wait for each part of the answer; 0 for five seconds
 */
struct cli_question {
	const char *path;
	const char *method;
	json_t *params;
	int patience_ms;
};

/**
 * cli_ask() - Ask, and wait for the answer
 * @out:	Receives the result, a JSON object owned by the caller; NULL on failure
 * @q:		What is asked
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 0, -ENOENT when the node answers with an error or has no socket, -EINTR when a signal came,
 *         -ETIMEDOUT when it does not answer, or another negative errno value
 */
int cli_ask(json_t **out, const struct cli_question *q, struct err *e);

#endif /* DAEMON_CLI_ASK_H */
