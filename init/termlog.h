/* SPDX-License-Identifier: MIT */
/* termlog - the last sentence, where Kubernetes shows it ("kubectl describe pod") */
#ifndef INIT_TERMLOG_H
#define INIT_TERMLOG_H

/**
 * termlog_open() - Open /dev/termination-log, where that exists, for the end
 *
 * Before the right to open files for writing is given up (filter.h). The descriptor is kept for good.
 */
void termlog_open(void);

/**
 * termlog_write() - Write the sentence to /dev/termination-log, in place of an earlier one
 * @sentence:	Why this container ends
 */
void termlog_write(const char *sentence);

#endif /* INIT_TERMLOG_H */
