/* SPDX-License-Identifier: MIT */
/*
 * err - a negative errno plus the sentence an operator needs; never allocates
 *
 * The convention of the whole project: a function that can fail returns int, 0 or a negative errno
 * value taken in the same expression as the call; a positive value is a documented result of that
 * one function and is handled by its caller. The reason for people travels in a struct err as the
 * last parameter, may be NULL, and is logged once, at the top.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/**
 * struct err - Why something failed
 * @code:	Negative errno value
 * @exit_code:	Exit code this failure asks for, 0 when the top decides
 * @msg:	What was being done, what is wrong, what to do; without the errno text
 */
struct err {
	int code;
	int exit_code;
	char msg[400];
};

/**
 * err_set() - Fill in a reason and pass its code on
 * @e:		Reason to fill, may be NULL
 * @code:	Negative errno value
 * @fmt:	printf() format of the message
 *
 * Return: @code, so that callers can write "return err_set(...)"
 */
__attribute__((format(printf, 3, 4))) int err_set(struct err *e, int code, const char *fmt, ...);

/**
 * err_exit() - Like err_set(), and name the exit code that the failure asks for
 * @e:		Reason to fill, may be NULL
 * @exit_code:	enum exits
 * @code:	Negative errno value
 * @fmt:	printf() format of the message
 *
 * Return: @code
 */
__attribute__((format(printf, 4, 5))) int err_exit(struct err *e, int exit_code, int code,
						   const char *fmt, ...);

#endif /* COMMON_ERR_H */
