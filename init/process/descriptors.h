/* SPDX-License-Identifier: MIT */
/* descriptors - begin with the three standard descriptors, and nothing else */
#ifndef INIT_PROCESS_DESCRIPTORS_H
#define INIT_PROCESS_DESCRIPTORS_H

/**
 * descriptors_close() - Close a range of descriptors, open or not
 * @first:	First of them
 * @last:	Last of them; UINT_MAX for all that are left
 */
void descriptors_close(unsigned int first, unsigned int last);

/**
 * descriptors_close_inherited() - Close everything above standard error
 *
 * Whoever started us may have left something open: a pipe, say, whose reader would never see its
 * end while PID 1 lives. To be called before this program opens anything itself.
 */
void descriptors_close_inherited(void);

/**
 * descriptors_fill_standard() - Put /dev/null in place of closed standard descriptors
 *
 * The next file that is opened would take the place otherwise, and be written to as standard error.
 * An image without /dev/null gets none.
 *
 * Return: 0 or a negative errno value
 */
int descriptors_fill_standard(void);

#endif /* INIT_PROCESS_DESCRIPTORS_H */
