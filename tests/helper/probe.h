/* SPDX-License-Identifier: MIT */
/* probe - what the files of the test program share; probe.c describes its verbs */
#ifndef TESTS_HELPER_PROBE_H
#define TESTS_HELPER_PROBE_H

/** fail() - Say what the system refused (errno) and end with 98 */
void fail(const char *what);
/** misuse() - Say which argument cannot be used and end with 99 */
void misuse(const char *what);
/** number() - A number of the command line, 0 to a million; ends the program if it is none */
int number(const char *text);
/** pause_ms() - Wait, through signals */
void pause_ms(long ms);
/** in_child() - Run something in a forked child, and wait for its end */
void in_child(void (*run)(const void *arg), const void *arg);

/* Verbs, with their arguments. */
void run_state(char **args);

void run_obey(char **args);
void run_answer(char **args);
void run_ignore(char **args);
void run_block(char **args);
void run_kill(char **args);
void run_report(char **args);
void run_count(char **args);

void run_wait(char **args);
void run_twin(char **args);
void run_orphans(char **args);
void run_storm(char **args);
void run_linger(char **args);
void run_daemon(char **args);
void run_stubborn(char **args);

#endif /* TESTS_HELPER_PROBE_H */
