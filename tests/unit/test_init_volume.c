/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "init/volume/volume.h"

#include <stdio.h>
#include <string.h>

#define HEX   "e6cc1812ccb5e32864383f042bf935a1eabccc64a6a1bf8a8552ad9a0d499e78"
#define HEX2  "0baff6494c50f673c02e52cc6d07649407ef7e2484e80ca4208f2c3e15ace90e"
#define UUID  "6b6ad5e4-2f0a-4e1b-8a8c-111122223333"
#define DIR   "/var/lib/wgmesh"
#define POD   "/var/lib/kubelet/pods/" UUID
#define CRI   "/var/lib/containerd/io.containerd.grpc.v1.cri/containers/" HEX "/volumes/" HEX2
#define KIND  "/var/lib/docker/volumes/" HEX "/_data/lib/kubelet/pods/" UUID
#define ROOT  "78 51 0:40 / / rw,relatime master:4 - overlay overlay rw,lowerdir=x\n"
#define EXT4  0xef53
#define TMPFS 0x01021994
#define OVL   0x794c7630
#define FUSE  0x65735546

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
	{ "docker anonymous", "/var/lib/docker/volumes/" HEX "/_data " DIR " rw,relatime master:3 - ext4 /dev/vda rw", VERDICT_ANONYMOUS, "the anonymous volume e6cc1812ccb5" },
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
	{ "emptyDir in kind", KIND "/volumes/kubernetes.io~empty-dir/state " DIR " rw - ext4 /dev/vda rw", VERDICT_POD, "\"state\"" },
	{ "emptyDir, subPath whose mount is missing", POD "/volume-subpaths/state/wgmesh/0 " DIR " rw - ext4 /dev/vda rw", VERDICT_POD, "\"state\"" },
	{ "engine in a pod, its data in an emptyDir", POD "/volumes/kubernetes.io~empty-dir/d/volumes/wg/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_POD, "\"d\"" },
	{ "engine in an engine, named", "/v/volumes/" HEX "/_data/volumes/wg/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "\"wg\"" },
	{ "engine in an engine, anonymous", "/v/volumes/wg/_data/volumes/" HEX "/_data " DIR " rw - ext4 /dev/vda rw", VERDICT_ANONYMOUS, NULL },
	{ "git-repo", POD "/volumes/kubernetes.io~git-repo/g " DIR " rw - ext4 /dev/vda rw", VERDICT_POD, NULL },
	{ "emptyDir in memory, subPath", "/sub " DIR " rw - tmpfs tmpfs rw,size=65536k", VERDICT_MEMORY, NULL },
	{ "emptyDir in memory", "/ " DIR " rw - tmpfs tmpfs rw,size=65536k", VERDICT_MEMORY, NULL },
	{ "hostPath", "/opt/wgmesh " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, NULL },
	{ "block CSI", "/ " DIR " rw - xfs /dev/nvme1n1 rw", VERDICT_PERSISTENT, NULL },
	{ "local-path", "/opt/local-path-provisioner/pvc-" UUID "_mesh_state-node-0 " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "of the claim \"state-node-0\" (namespace mesh)" },
	{ "local-path in kind", "/var/lib/docker/volumes/" HEX "/_data/local-path-provisioner/pvc-" UUID "_mesh_state " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "claim \"state\"" },
	{ "claim without its name", "/x/pvc-" UUID " " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "pvc-" UUID },
	{ "no claim, only named like one", POD "/volumes/kubernetes.io~empty-dir/state/pvc-1 " DIR " rw - ext4 /dev/vda rw", VERDICT_POD, "\"state\"" },
	{ "no claim: its UUID is none", "/srv/pvc-" "6b6ad5e4-2f0a-4e1b-8a8cx111122223333" " " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "a mount of /srv/pvc-" },
	{ "CSI bind", POD "/volumes/kubernetes.io~csi/pv1/mount " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, "CSI volume \"pv1\"" },
	{ "in-tree nfs", POD "/volumes/kubernetes.io~nfs/pv2 " DIR " rw - nfs4 s:/e rw", VERDICT_PERSISTENT, "\"pv2\"" },
	{ "secret", POD "/volumes/kubernetes.io~secret/s " DIR " ro - tmpfs tmpfs rw", VERDICT_WRONG_TYPE, "secret" },
	{ "projected", POD "/volumes/kubernetes.io~projected/s " DIR " ro - tmpfs tmpfs rw", VERDICT_WRONG_TYPE, NULL },
	{ "configMap", POD "/volumes/kubernetes.io~configmap/c " DIR " ro - ext4 /dev/vda rw", VERDICT_WRONG_TYPE, "configMap" },
	{ "downwardAPI", POD "/volumes/kubernetes.io~downward-api/c " DIR " ro - ext4 /dev/vda rw", VERDICT_WRONG_TYPE, NULL },
	{ "containerd image volume", CRI " " DIR " rw - ext4 /dev/vda rw", VERDICT_CONTAINER, "containerd" },
	{ "CRI-O image volume, mkdir", NULL, VERDICT_LAYER, NULL },
	{ "CRI-O image volume, bind", "/run/containers/storage/overlay-containers/x/userdata/mounts/" HEX " " DIR " rw - ext4 /dev/vda rw", VERDICT_CONTAINER, "CRI-O" },
	{ "CRI-O image volume, bind in memory", "/containers/storage/overlay-containers/x/userdata/mounts/" HEX " " DIR " rw - tmpfs tmpfs rw", VERDICT_MEMORY, "CRI-O" },
	{ "Docker Desktop, grpcfuse", "/Users/me/wg " DIR " rw - fuse.grpcfuse grpcfuse rw", VERDICT_PERSISTENT, "/Users/me/wg" },
	{ "WSL", "/Users/me/wg " DIR " rw - 9p C:\\134 rw,aname=drvfs", VERDICT_PERSISTENT, "/Users/me/wg" },
	{ "btrfs subvolume is the volume", "/vol1 " DIR " rw - btrfs /dev/sda2 rw,subvol=/vol1", VERDICT_PERSISTENT, "/vol1" },
	{ "named volume on a btrfs subvolume", "/@/var/lib/docker/volumes/wg/_data " DIR " rw - btrfs /dev/sda2 rw", VERDICT_PERSISTENT, "\"wg\"" },
	{ "podman --image-volume=tmpfs", "/ " DIR " rw,nosuid,nodev - tmpfs tmpfs rw", VERDICT_MEMORY, NULL },
	{ "deleted named volume", "/x/volumes/wg/_data//deleted " DIR " rw - ext4 /dev/vda rw", VERDICT_BROKEN, NULL },
	{ "named like deleted", "/srv/deleted " DIR " rw - ext4 /dev/vda rw", VERDICT_PERSISTENT, NULL },
	{ "directory of the host's overlay", "/opt/wgmesh " DIR " rw - overlay overlay rw,lowerdir=z", VERDICT_UNKNOWN, "another overlay" },
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

/* Facts against the table, or without one. */
struct fact_row {
	const char *name;
	const char *line; /* as in struct row; "" for no table at all */
	uint64_t magic;
	uint64_t mount_id; /* 0 for none; 78 is that of / */
	enum verdict verdict;
};

/* clang-format off */
static const struct fact_row fact_rows[] = {
	{ "masked /proc, root mount", "", EXT4, 78, VERDICT_LAYER },
	{ "masked /proc, other mount", "", EXT4, 98, VERDICT_UNKNOWN },
	{ "masked /proc, memory", "", TMPFS, 98, VERDICT_MEMORY },
	{ "masked /proc, ramfs", "", 0x858458f6, 98, VERDICT_MEMORY },
	{ "masked /proc, overlay", "", OVL, 0, VERDICT_LAYER },
	{ "masked /proc, nothing known", "", 0, 0, VERDICT_UNKNOWN },
	{ "statfs agrees", "/srv/wg " DIR " rw - ext4 /dev/vda rw", EXT4, 98, VERDICT_PERSISTENT },
	{ "statfs says memory", "/srv/wg " DIR " rw - ext4 /dev/vda rw", TMPFS, 98, VERDICT_MEMORY },
	{ "statfs says overlay", "/srv/wg " DIR " rw - ext4 /dev/vda rw", OVL, 98, VERDICT_LAYER },
	{ "statfs says FUSE", "/srv/wg " DIR " rw - ext4 /dev/vda rw", FUSE, 98, VERDICT_UNKNOWN },
	{ "statfs says memory, type is memory", "/ " DIR " rw - tmpfs tmpfs rw", TMPFS, 98, VERDICT_MEMORY },
	{ "cifs has two numbers", "/ " DIR " rw - cifs //s/x rw", 0xfe534d42, 98, VERDICT_PERSISTENT },
	{ "9p passes any number on", "/ " DIR " rw - 9p share rw", EXT4, 98, VERDICT_PERSISTENT },
	{ "9p over memory", "/ " DIR " rw - 9p share rw", TMPFS, 98, VERDICT_MEMORY },
	{ "gVisor over memory", "/ " DIR " rw - 9p none rw", TMPFS, 98, VERDICT_MEMORY },
	{ "unknown type, known number", "/ " DIR " rw - newfs share rw", EXT4, 98, VERDICT_PERSISTENT },
	{ "unknown type over memory", "/ " DIR " rw - newfs share rw", TMPFS, 98, VERDICT_MEMORY },
	{ "named volume over memory", "/v/volumes/wg/_data " DIR " rw - newfs x rw", TMPFS, 98, VERDICT_MEMORY },
	{ "rootfs, whatever statfs says", NULL, EXT4, 78, VERDICT_LAYER },
	{ "mount that a cut table lacks", NULL, EXT4, 98, VERDICT_UNKNOWN },
};
/* clang-format on */

static void statfs_speaks_where_the_table_does_not_and_contradicts_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fact_rows); i++) {
		const struct fact_row *row = &fact_rows[i];
		struct volume_facts f;
		struct volume v;
		char text[2048];

		set_facts(&f, false);
		f.magic = row->magic;
		f.has_mount_id = row->mount_id != 0;
		f.mount_id = row->mount_id;
		(void)snprintf(text, sizeof(text), ROOT "%s%s\n", row->line ? "98 78 254:0 " : "",
			       row->line ? row->line : "");
		volume_classify(row->line && !row->line[0] ? "" : text, &f, &v);
		if (v.verdict != row->verdict)
			fail_msg("%s: %s instead of %s", row->name, verdict_name(v.verdict),
				 verdict_name(row->verdict));
		assert_true(v.what[0] != '\0');
	}
}

static void statfs_sees_read_only_storage_without_a_table(void **state)
{
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	f.is_read_only = true;
	volume_classify("", &f, &v);
	assert_int_equal(v.verdict, VERDICT_READONLY);
	f.is_directory = false;
	volume_classify("", &f, &v);
	assert_int_equal(v.verdict, VERDICT_WRONG_TYPE);
}

static void a_bind_mount_of_the_layer_is_the_layer(void **state)
{
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	volume_classify(ROOT "98 78 0:40 /opt/x " DIR " rw - overlay overlay rw\n", &f, &v);
	assert_int_equal(v.verdict, VERDICT_LAYER);
}

static void a_split_that_is_covered_is_none(void **state)
{
	static const char text[] =
		ROOT "97 78 254:0 /old " DIR " rw - ext4 /dev/vda rw\n"
		     "99 97 254:0 /srv/wg0.json " DIR "/wg0.json rw - ext4 /dev/vda rw\n"
		     "98 97 254:0 /volumes/v/_data " DIR " rw - ext4 /dev/vda rw\n";
	struct volume_facts f;
	struct volume v;

	(void)state;
	set_facts(&f, true);
	volume_classify(text, &f, &v);
	assert_int_equal(v.verdict, VERDICT_PERSISTENT);
}

static void a_mount_over_the_volume_or_above_it_counts(void **state)
{
	static const char over[] = ROOT "97 78 254:0 /volumes/v/_data " DIR " rw - ext4 /dev/a rw\n"
					"98 97 0:9 / " DIR " rw - tmpfs tmpfs rw\n";
	static const char above[] =
		ROOT "97 78 254:0 /volumes/v/_data " DIR " rw - ext4 /dev/a rw\n"
		     "98 78 0:9 / /var/lib rw - tmpfs tmpfs rw\n";
	struct volume_facts f;
	struct volume v;

	(void)state;
	for (int with_id = 0; with_id < 2; with_id++) {
		set_facts(&f, true);
		f.has_mount_id = with_id != 0;
		volume_classify(over, &f, &v);
		assert_int_equal(v.verdict, VERDICT_MEMORY);
		volume_classify(above, &f, &v);
		assert_int_equal(v.verdict, VERDICT_MEMORY);
	}
}

static void what_a_host_may_empty_or_share_is_said(void **state)
{
	static const struct {
		const char *line;
		bool is_temporary;
		const char *caution;
	} table[] = {
		{ "/tmp/wg " DIR " rw - ext4 /dev/vda rw", true, "boot" },
		{ "/var/run/wg " DIR " rw - ext4 /dev/vda rw", true, "boot" },
		{ "/run/wg " DIR " rw - ext4 /dev/vda rw", true, "boot" },
		{ "/@/var/tmp/wg " DIR " rw - btrfs /dev/vda rw", true, "boot" },
		{ "/srv/tmp " DIR " rw - ext4 /dev/vda rw", false, "" },
		{ "/var/lib/wg " DIR " rw - ext4 /dev/vda rw", false, "" },
		{ "/tmpfiles " DIR " rw - ext4 /dev/vda rw", false, "" },
		{ "/ " DIR " rw - ext4 /dev/vda rw", false, "" },
		{ "/Users/me " DIR " rw - fakeowner x rw", false, "fakeowner" },
		{ "/Users/me " DIR " rw - virtiofs x rw", false, "locks" },
		{ "/Users/me " DIR " rw - 9p C:\\134 rw", false, "9p" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct volume v;

		classify(table[i].line, true, &v);
		assert_int_equal(v.verdict, VERDICT_PERSISTENT);
		assert_int_equal(v.is_temporary, table[i].is_temporary);
		assert_non_null(strstr(v.caution, table[i].caution));
		assert_int_equal(v.caution[0] == '\0', table[i].caution[0] == '\0');
	}
}

static void a_long_or_deep_root_is_cut_and_does_no_harm(void **state)
{
	char line[1200];
	char root[1001];
	struct volume v;

	(void)state;
	for (size_t i = 0; i < sizeof(root) - 1; i++)
		root[i] = i % 2 == 0 ? '/' : 'a';
	root[sizeof(root) - 1] = '\0';
	(void)snprintf(line, sizeof(line), "%s " DIR " rw - ext4 /dev/vda rw", root);
	classify(line, true, &v);
	assert_int_equal(v.verdict, VERDICT_PERSISTENT);
	assert_true(strlen(v.what) < sizeof(v.what) && strlen(v.root) < sizeof(v.root));
	classify("/" HEX "/volumes/" HEX "/" HEX "/_data/x " DIR " rw - ext4 /dev/vda rw", true,
		 &v);
	assert_int_equal(v.verdict, VERDICT_ANONYMOUS);
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
		cmocka_unit_test(statfs_speaks_where_the_table_does_not_and_contradicts_it),
		cmocka_unit_test(statfs_sees_read_only_storage_without_a_table),
		cmocka_unit_test(a_bind_mount_of_the_layer_is_the_layer),
		cmocka_unit_test(a_split_that_is_covered_is_none),
		cmocka_unit_test(a_mount_over_the_volume_or_above_it_counts),
		cmocka_unit_test(what_a_host_may_empty_or_share_is_said),
		cmocka_unit_test(a_long_or_deep_root_is_cut_and_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
