/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/settings.h"

#define HOUR_MS	    UINT64_C(3600000)
#define INIT_PHASES (SCOPE_INIT | SCOPE_INIT_CHECK)
#define STATE_VERBS \
	(SCOPE_STATE | SCOPE_STATE_LIST | SCOPE_STATE_KEEP | SCOPE_EXPORT | SCOPE_IMPORT)
#define WITH_STATE (INIT_PHASES | SCOPE_JOIN | STATE_VERBS | SCOPE_DOCTOR | SCOPE_DOWN)
#define WITH_NODE  (SCOPE_STATUS | SCOPE_PEERS | SCOPE_CONTROL | SCOPE_DOCTOR)
#define WITH_IFACE (SCOPE_JOIN | WITH_NODE | SCOPE_DOWN | STATE_VERBS)
#define WITH_SECRET                                                               \
	(SCOPE_JOIN | SCOPE_STATUS | SCOPE_DECODE | SCOPE_IMPORT | SCOPE_DOCTOR | \
	 SCOPE_TEST_PEER | SCOPE_QR)
#define WITH_LOG (INIT_PHASES | SCOPE_JOIN | SCOPE_DOWN | STATE_VERBS | SCOPE_STATE_SHOW)
#define WITH_JSON                                                                          \
	(SCOPE_STATUS | SCOPE_PEERS | SCOPE_STATE | SCOPE_STATE_LIST | SCOPE_INIT_STATUS | \
	 SCOPE_INIT_CHECK | SCOPE_DOCTOR | SCOPE_TEST_PEER)
#define JOIN_NO_OP (SCOPE_JOIN | SCOPE_NO_EFFECT)

/* PID 1 knows all options, but has no help on those of wgmesh: it is a page smaller so. */
#ifdef SETTINGS_FOR_INIT
#define HELP(scope, help) (((scope) & (INIT_PHASES | SCOPE_INIT_STATUS)) ? (help) : NULL)
#else
#define HELP(scope, help) help
#endif

/* clang-format off */
static const struct setting table[] = {
#define SETTING(id, name, env, scope, type, min, max, choices, fallback, metavar, help, details) \
	[SETTING_##id] = { name, env, scope, type, min, max, choices, fallback, metavar, HELP(scope, help) },
#include "common/settings.def"
#undef SETTING
};
/* clang-format on */
_Static_assert(ARRAY_LEN(table) == SETTING_COUNT, "a row for every setting");

const struct setting *settings_table(void)
{
	return table;
}
