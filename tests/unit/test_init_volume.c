/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "init/voltext.h"
#include "init/volume.h"

#include <stdio.h>
#include <string.h>

#define HEX  "e6cc1812ccb5e32864383f042bf935a1eabccc64a6a1bf8a8552ad9a0d499e78"
#define HEX2 "0baff6494c50f673c02e52cc6d07649407ef7e2484e80ca4208f2c3e15ace90e"
#define DIR  "/var/lib/wgmesh"
#define POD  "/var/lib/kubelet/pods/6b6ad5e4-2f0a-4e1b-8a8c-111122223333"
#define ROOT "78 51 0:40 / / rw,relatime master:4 - overlay overlay rw,lowerdir=x\n"

/* A set-up of the field notes: the mount at the state directory, and what must be said of it. */
struct row {
	const char *name;
	const char *line; /* fields after "98 78 0:9 ", NULL for no mount */
	enum verdict verdict;
	const char *what; /* a part of the text, or NULL */
};

/* clang-format off */
static const struct row rows[] = {
	{ "nothing mounted", NULL, VERDICT_LAYER, "own writable layer" },
	{ "docker anonymous", "/var/lib/docker/volumes/" HEX "/_data " DIR " rw,relatime master:3 - ext4 /dev/vda rw", VERDICT_ANONYMOUS, "anonymous" },
	{ "docker named", "/var/lib/docker/volumes/wg/_data " DIR " rw,relatime master:3 - ext4 /dev/vda rw", VERDICT_PERSISTENT, "named volume \"wg\"" },
	{ "docker named, subdirectory", "/x/volumes/wg/_data/node1 " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "named volume \"wg\"" },
	{ "docker named tmpfs", "/ " DIR " rw,relatime master:5 - tmpfs tmpfs rw,size=8192k", VERDICT_MEMORY, NULL },
	{ "bind ext4", "/srv/wg " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "/srv/wg" },
	{ "bind nfs", "/export/wg " DIR " rw - nfs4 server:/export rw", VERDICT_PERSISTENT, NULL },
	{ "bind cifs", "/ " DIR " rw - cifs //server/share rw", VERDICT_PERSISTENT, "//server/share" },
	{ "bind virtiofs", "/Users/me/wg " DIR " rw - virtiofs share rw", VERDICT_PERSISTENT, NULL },
	{ "bind fakeowner", "/Users/me/wg " DIR " rw - fakeowner grpcfuse rw", VERDICT_PERSISTENT, NULL },
	{ "bind btrfs", "/@/srv/wg " DIR " rw - btrfs /dev/sda2 rw", VERDICT_PERSISTENT, NULL },
	{ "bind zfs", "/ " DIR " rw - zfs tank/wg rw", VERDICT_PERSISTENT, NULL },
	{ "bind of tmpfs below", "/sub " DIR " rw - tmpfs tmpfs rw", VERDICT_MEMORY, NULL },
	{ "--tmpfs", "/ " DIR " rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw", VERDICT_MEMORY, NULL },
	{ "ramfs", "/ " DIR " rw - ramfs ramfs rw", VERDICT_MEMORY, NULL },
	{ "volume :ro", "/var/lib/docker/volumes/wg/_data " DIR " ro,relatime - ext4 /dev/vda rw", VERDICT_READONLY, NULL },
	{ "file system read-only", "/wg " DIR " rw - ext4 /dev/vda ro", VERDICT_READONLY, NULL },
	{ "podman anonymous", "/home/u/.local/share/containers/storage/volumes/" HEX "/_data " DIR " rw,nosuid,nodev,relatime - ext4 /dev/vda rw", VERDICT_ANONYMOUS, NULL },
	{ "nerdctl named", "/var/lib/nerdctl/1935db59/volumes/default/wg/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "named volume \"wg\"" },
	{ "nerdctl anonymous", "/var/lib/nerdctl/1935db59/volumes/default/" HEX "/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_ANONYMOUS, NULL },
	{ "podman :O", "/ " DIR " rw - overlay overlay rw,lowerdir=y", VERDICT_LAYER, "overlay" },
	{ "fuse-overlayfs mount", "/ " DIR " rw - fuse.fuse-overlayfs fuse-overlayfs rw", VERDICT_LAYER, NULL },
	{ "volume store on its own disk", "/volumes/wg/_data " DIR " rw - ext4 /dev/loop0 rw", VERDICT_PERSISTENT, "named volume \"wg\"" },
	{ "disk is the volume", "/ " DIR " rw - ext4 /dev/loop0 rw", VERDICT_PERSISTENT, "disk (/dev/loop0)" },
	{ "deleted source", "/a//deleted " DIR " rw - ext4 /dev/vda rw", VERDICT_BROKEN, NULL },
	{ "emptyDir", POD "/volumes/kubernetes.io~empty-dir/state " DIR " rw - ext4 /dev/vda rw", VERDICT_POD, "\"state\"" },
	{ "emptyDir subPath", POD "/volumes/kubernetes.io~empty-dir/state/sub " DIR " rw - xfs /dev/vda rw", VERDICT_POD, NULL },
	{ "emptyDir in memory", "/ " DIR " rw - tmpfs tmpfs rw,size=65536k", VERDICT_MEMORY, NULL },
	{ "hostPath", "/opt/wgmesh " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, NULL },
	{ "block CSI", "/ " DIR " rw - xfs /dev/nvme1n1 rw", VERDICT_PERSISTENT, NULL },
	{ "local-path", "/opt/local-path-provisioner/pvc-1234_ns_claim " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "pvc-1234_ns_claim" },
	{ "CSI bind", POD "/volumes/kubernetes.io~csi/pv1/mount " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "CSI volume \"pv1\"" },
	{ "in-tree nfs", POD "/volumes/kubernetes.io~nfs/pv2 " DIR " rw - nfs4 s:/e rw", VERDICT_PERSISTENT, "\"pv2\"" },
	{ "secret", POD "/volumes/kubernetes.io~secret/s " DIR " ro - tmpfs tmpfs rw", VERDICT_WRONG_TYPE, "secret" },
	{ "projected", POD "/volumes/kubernetes.io~projected/s " DIR " ro - tmpfs tmpfs rw", VERDICT_WRONG_TYPE, NULL },
	{ "configMap", POD "/volumes/kubernetes.io~configmap/c " DIR " ro - ext4 /dev/vda rw", VERDICT_WRONG_TYPE, "configMap" },
	{ "downwardAPI", POD "/volumes/kubernetes.io~downward-api/c " DIR " ro - ext4 /dev/vda rw", VERDICT_WRONG_TYPE, NULL },
	{ "containerd image volume", "/var/lib/containerd/io.containerd.grpc.v1.cri/containers/" HEX "/volumes/" HEX2 " " DIR " rw - ext4 /dev/vda rw", VERDICT_CONTAINER, NULL },
	{ "CRI-O image volume", "/run/containers/storage/overlay-containers/x/userdata/mounts/" HEX " " DIR " rw - ext4 /dev/vda rw", VERDICT_CONTAINER, NULL },
	{ "gVisor", "/ " DIR " rw - 9p none rw", VERDICT_UNKNOWN, NULL },
	{ "Kata", "/x " DIR " rw - virtiofs kataShared rw", VERDICT_UNKNOWN, NULL },
	{ "Kata, named by its path", POD "/volumes/kubernetes.io~empty-dir/e " DIR " rw - virtiofs kataShared rw", VERDICT_POD, NULL },
	{ "escaped blank in the name", "/x/volumes/a\\040b/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "\"a b\"" },
	{ "63 digits are a name", "/x/volumes/" "6cc1812ccb5e32864383f042bf935a1eabccc64a6a1bf8a8552ad9a0d499e78" "/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, NULL },
	{ "64 upper case digits are a name", "/x/volumes/" "E6CC1812CCB5E32864383F042BF935A1EABCCC64A6A1BF8A8552AD9A0D499E78" "/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, NULL },
};
/* clang-format on */

static void set_facts(struct volume_facts *f, bool is_mounted)
{
	memset(f, 0, sizeof(*f));
	(void)snprintf(f->path, sizeof(f->path), DIR);
	f->exists = true;
	f->is_directory = true;
	f->has_mount_id = true;
	f->root_mount_id = 78;
	f->mount_id = is_mounted ? 98 : 78;
}

static void classify(const char *line, bool with_id, struct volume *v)
{
	struct volume_facts f;
	char text[2048];

	set_facts(&f, line != NULL);
	f.has_mount_id = with_id;
	(void)snprintf(text, sizeof(text), ROOT "%s%s%s", line ? "98 78 254:0 " : "",
		       line ? line : "", line ? "\n" : "");
	volume_classify(text, &f, v);
}

static void check_rows(bool with_id)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct volume v;

		classify(rows[i].line, with_id, &v);
		if (v.verdict != rows[i].verdict)
			fail_msg("%s: %s instead of %s", rows[i].name, verdict_name(v.verdict),
				 verdict_name(rows[i].verdict));
		if (rows[i].what && !strstr(v.what, rows[i].what))
			fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].name, v.what, rows[i].what);
	}
}

static void judges_every_row_of_the_field_notes_by_mount_id(void **state)
{
	(void)state;
	check_rows(true);
}

static void judges_every_row_of_the_field_notes_by_longest_prefix(void **state)
{
	(void)state;
	check_rows(false);
}

static void a_root_on_a_disk_is_still_the_layer(void **state)
{
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, false);
	volume_classify("78 51 8:1 /snapshots/12 / rw - ext4 /dev/sda1 rw\n", &f, &v);
	assert_int_equal(v.verdict, VERDICT_LAYER);
}

static void a_read_only_root_is_read_only(void **state)
{
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, false);
	volume_classify("78 51 0:40 / / ro,relatime - overlay overlay rw\n", &f, &v);
	assert_int_equal(v.verdict, VERDICT_READONLY);
	assert_non_null(strstr(v.what, "no volume"));
}

static void a_mounted_parent_counts(void **state)
{
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	volume_classify(ROOT "98 78 254:0 /srv/vlib /var/lib rw - ext4 /dev/vda rw\n", &f, &v);
	assert_int_equal(v.verdict, VERDICT_PERSISTENT);
}

static void a_state_file_that_is_a_mount_splits(void **state)
{
	static const char text[] =
		ROOT "98 78 254:0 /v/_data " DIR " rw - ext4 /dev/vda rw\n"
		     "99 98 254:0 /srv/wg0.json " DIR "/wg0.json rw - ext4 /dev/vda rw\n";
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	volume_classify(text, &f, &v);
	assert_int_equal(v.verdict, VERDICT_SPLIT);
	assert_non_null(strstr(v.what, "wg0.json"));
}

static void other_mounts_inside_do_not_split(void **state)
{
	static const char text[] =
		ROOT "98 78 254:0 /volumes/v/_data " DIR " rw - ext4 /dev/vda rw\n"
		     "99 98 254:0 /x " DIR "/notes.txt rw - ext4 /dev/vda rw\n"
		     "100 98 254:0 /x " DIR "x/wg0.json rw - ext4 /dev/vda rw\n";
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	volume_classify(text, &f, &v);
	assert_int_equal(v.verdict, VERDICT_PERSISTENT);
}

static void a_file_or_a_data_link_is_the_wrong_type(void **state)
{
	static const char text[] = ROOT "98 78 254:0 /x " DIR " rw - ext4 /dev/vda rw\n";
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	f.is_directory = false;
	volume_classify(text, &f, &v);
	assert_int_equal(v.verdict, VERDICT_WRONG_TYPE);
	set_facts(&f, true);
	f.has_data_link = true;
	volume_classify(text, &f, &v);
	assert_int_equal(v.verdict, VERDICT_WRONG_TYPE);
}

static void no_mount_table_is_unknown(void **state)
{
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	volume_classify("", &f, &v);
	assert_int_equal(v.verdict, VERDICT_UNKNOWN);
}

static void a_volume_at_the_legacy_directory_is_suggested(void **state)
{
	static const char text[] =
		ROOT "81 78 0:1 / /proc rw - proc proc rw\n"
		     "82 78 254:0 /c/hosts /etc/hosts rw - ext4 /dev/vda rw\n"
		     "83 78 254:0 /volumes/other/_data /mnt/other rw - ext4 /dev/vda rw\n"
		     "84 78 254:0 /volumes/wg/_data /data rw - ext4 /dev/vda rw\n";
	struct volume_facts f;
	char other[128];

	(void)state;
	set_facts(&f, false);
	volume_find_other(text, &f, "/data", other, sizeof(other));
	assert_string_equal(other, "/data");
	volume_find_other(text, &f, NULL, other, sizeof(other));
	assert_string_equal(other, "/mnt/other");
	volume_find_other(ROOT "82 78 254:0 /c/hosts /etc/hosts rw - ext4 /dev/vda rw\n", &f,
			  "/data", other, sizeof(other));
	assert_string_equal(other, "");
}

static bool has_line(const struct voltext *t, const char *part)
{
	for (size_t i = 0; i < t->n; i++)
		if (strstr(t->line[i], part))
			return true;
	return false;
}

static void the_text_says_what_happens_and_what_to_change(void **state)
{
	struct volume v = { .verdict = VERDICT_LAYER,
			    .what = "the container's own writable layer" };
	struct voltext t;

	(void)state;
	voltext_explain(&v, DIR, "/data", &t);
	assert_true(has_line(&t, "gives this node a new key and a new address"));
	assert_true(has_line(&t, "every peer still trusts the old one"));
	assert_true(has_line(&t, "-v wgmesh-state:" DIR));
	assert_true(has_line(&t, "compose: "));
	assert_true(has_line(&t, "Kubernetes: "));
	assert_true(has_line(&t, "did you mean /data"));
	voltext_explain(&v, DIR, "", &t);
	assert_false(has_line(&t, "did you mean"));
}

static void every_bad_verdict_has_a_text(void **state)
{
	(void)state;
	for (int i = 0; i < VERDICT_COUNT; i++) {
		struct volume v = { .verdict = (enum verdict)i, .what = "something" };
		struct voltext t;

		voltext_explain(&v, DIR, "", &t);
		assert_true(t.n >= 3);
		assert_true(t.n <= VOLTEXT_LINES);
		for (size_t n = 0; n < t.n; n++)
			assert_true(strlen(t.line[n]) > 10 &&
				    strlen(t.line[n]) < sizeof(t.line[n]) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_every_row_of_the_field_notes_by_mount_id),
		cmocka_unit_test(judges_every_row_of_the_field_notes_by_longest_prefix),
		cmocka_unit_test(a_root_on_a_disk_is_still_the_layer),
		cmocka_unit_test(a_read_only_root_is_read_only),
		cmocka_unit_test(a_mounted_parent_counts),
		cmocka_unit_test(a_state_file_that_is_a_mount_splits),
		cmocka_unit_test(other_mounts_inside_do_not_split),
		cmocka_unit_test(a_file_or_a_data_link_is_the_wrong_type),
		cmocka_unit_test(no_mount_table_is_unknown),
		cmocka_unit_test(a_volume_at_the_legacy_directory_is_suggested),
		cmocka_unit_test(the_text_says_what_happens_and_what_to_change),
		cmocka_unit_test(every_bad_verdict_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
