/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/http/endpoints.h"
#include "daemon/http/metrics_table.h"
#include "docs/gen/sections.h"

void section_methods(const struct doc *d)
{
	static const struct doc_table t = { { "method", "params", "result", "meaning" } };
	static const char *const rows[][4] = {
#define RPC_METHOD(name, start, finish, params, result, meaning) { name, params, result, meaning },
#include "daemon/rpc/rpc.def"
#undef RPC_METHOD
	};

	doc_table_begin(d, &t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		doc_table_row(d, &t, rows[i]);
}

void section_metrics(const struct doc *d)
{
	static const struct doc_table t = { { "metric", "type", "labels", "meaning" } };
	const struct metric_family *table = metrics_table();

	doc_table_begin(d, &t);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		doc_table_row(d, &t,
			      (const char *[]) { table[i].name, metric_type_name(table[i].type),
						 table[i].labels, table[i].help });
}

void section_endpoints(const struct doc *d)
{
	static const struct doc_table t = { { "path", "meaning" } };
	const struct http_endpoint_row *table = http_endpoints_table();

	doc_table_begin(d, &t);
	for (size_t i = 0; i < HTTP_ENDPOINT_COUNT; i++)
		doc_table_row(d, &t, (const char *[]) { table[i].path, table[i].help });
}
