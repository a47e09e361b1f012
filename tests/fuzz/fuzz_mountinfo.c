/* SPDX-License-Identifier: MIT */
/* /proc/self/mountinfo, which holds names that anybody who mounts may choose. */
#include "init/volume/mountinfo.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *pos = text;
	struct mount_row row;
	struct mount_row found;
	char container[65];
	uint64_t id = 0;

	while (mountinfo_next(&pos, &row)) {
		FUZZ_CHECK(pos > text && pos <= text + strlen(text));
		FUZZ_CHECK(mountinfo_find_id(text, row.id, &found));
	}
	(void)mountinfo_find_path(text, "/var/lib/wgmesh", &found);
	(void)mountinfo_parse_fdinfo(text, &id);
	if (mountinfo_container_id(text, container))
		FUZZ_CHECK(mountinfo_is_hex_id(container, strlen(container)));
	free(text);
	return 0;
}
