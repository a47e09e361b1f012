/* SPDX-License-Identifier: MIT */
/* report - what `wgmesh doctor` has to say: lines with a result, a finding and its cure; pure */
#ifndef DAEMON_DOCTOR_REPORT_H
#define DAEMON_DOCTOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_MAX	 64
#define REPORT_TEXT_SIZE 480

/* From good to bad. */
enum report_result { REPORT_PASS, REPORT_SKIP, REPORT_WARN, REPORT_FAIL };

/* "pass", "skip", "warn", "fail" */
const char *report_result_name(enum report_result result);

/**
 * struct report_line - One finding
 * @name:	What was looked at, one word; borrowed for good
 * @result:	How it is
 * @exit_code:	enum exits that a failure stands for, 0 for any other result
 * @text:	What was found
 * @cure:	What to do about it, empty when there is nothing to be done
 */
struct report_line {
	const char *name;
	enum report_result result;
	int exit_code;
	char text[REPORT_TEXT_SIZE];
	char cure[REPORT_TEXT_SIZE];
};

/**
 * struct report - All of them
 * @n:		Entries in @lines
 * @lines:	In the order in which `wgmesh join` would meet what they are about
 */
struct report {
	size_t n;
	struct report_line lines[REPORT_MAX];
};

/**
 * report_say() - Add a line that is no failure
 * @r:		Report; what finds no room in it is left out
 * @result:	Anything but REPORT_FAIL
 * @name:	What was looked at
 * @fmt:	printf() format of the finding; what is not printable in it is shown as '?'
 */
__attribute__((format(printf, 4, 5))) void report_say(struct report *r, enum report_result result,
						      const char *name, const char *fmt, ...);

/**
 * report_fail() - Add a failure
 * @r:		Report
 * @exit_code:	Exit code that `wgmesh join` would end with, EXITS_FAILURE where it would not end
 * @name:	What was looked at
 * @fmt:	printf() format of the finding
 */
__attribute__((format(printf, 4, 5))) void report_fail(struct report *r, int exit_code,
						       const char *name, const char *fmt, ...);

/**
 * report_cure() - Say what to do about the line that was added last
 */
__attribute__((format(printf, 2, 3))) void report_cure(struct report *r, const char *fmt, ...);

/**
 * report_worst() - The worst result; a skipped line is as good as one that passed
 */
enum report_result report_worst(const struct report *r);

/**
 * report_exit_code() - That of the first failure with which `wgmesh join` would end
 *
 * Return: enum exits; EXITS_FAILURE when join would survive all failures, EXITS_OK when nothing
 *         failed, warnings or not
 */
int report_exit_code(const struct report *r);

/**
 * report_print() - Write it for people
 * @out:	Stream
 * @r:		Report
 * @width:	Columns to break lines at; 0 never breaks
 */
void report_print(FILE *out, const struct report *r, size_t width);

/**
 * report_print_json() - Write it for programs
 */
void report_print_json(FILE *out, const struct report *r);

#endif /* DAEMON_DOCTOR_REPORT_H */
