/* SPDX-License-Identifier: MIT */
/* termlog - the last sentence, where Kubernetes shows it ("kubectl describe pod") */
#ifndef INIT_TERMLOG_H
#define INIT_TERMLOG_H

/**
 * termlog_write() - Write the sentence to /dev/termination-log, where that exists
 * @sentence:	Why this container ends
 */
void termlog_write(const char *sentence);

#endif /* INIT_TERMLOG_H */
