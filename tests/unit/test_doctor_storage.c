/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#include <stdio.h>

#define VOLUME                                                                                               \
	"mount a volume there: docker run -v wgmesh-state:/state; compose: volumes: [wgmesh-state:/state]; " \
	"Kubernetes: a PersistentVolumeClaim; `wgmesh-init check` says more"
#define ROOM                                                                                      \
	"make room on the volume or enlarge it (df -h, df -i); the key in place is safe, but no " \
	"change can be saved"

static void a_directory_that_takes_a_file_passes(void **state)
{
	(void)state;
	facts.storage.tested_uid = 65532;
	doctor_only(judge_storage, REPORT_PASS,
		    "/state can be written to by uid 65532, 1024 MiB free", "");
	facts.wanted.state_dir = "none";
	doctor_only(judge_storage, REPORT_SKIP, "there is no state directory, as asked for", "");
}

static void what_pid_1_says_of_the_volume_counts(void **state)
{
	struct supervisor_facts *init = &facts.supervisor;

	(void)state;
	facts.storage.is_memory = true;
	*init = (struct supervisor_facts) { .verdict = "persistent", .storage = "ok" };
	doctor_only(
		judge_storage, REPORT_PASS,
		"/state can be written to by uid 0, 1024 MiB free; wgmesh-init calls it persistent",
		"");
	*init = (struct supervisor_facts) { .verdict = "anonymous",
					    .volume = "an anonymous volume" };
	doctor_only(judge_storage, REPORT_WARN,
		    "/state may not last: wgmesh-init calls it \"anonymous\" (an anonymous volume)",
		    VOLUME);
	*init = (struct supervisor_facts) { .verdict = "persistent",
					    .storage = "gone",
					    .storage_note = "it was unmounted" };
	doctor_only(judge_storage, REPORT_WARN, "wgmesh-init finds it gone: it was unmounted",
		    "look at the volume; wgmesh-init looks again every few minutes");
}

static void what_will_not_last_is_told_without_pid_1_too(void **state)
{
	(void)state;
	facts.storage.is_layer = true;
	doctor_only(
		judge_storage, REPORT_WARN,
		"no volume is mounted at /state: the node loses its identity when the container is "
		"made anew",
		VOLUME);
	facts.storage.is_memory = true;
	doctor_only(judge_storage, REPORT_WARN,
		    "/state lies in memory: the node loses its identity with every restart",
		    VOLUME);
}

static void a_disk_is_full_in_several_ways(void **state)
{
	struct storage_facts *s = &facts.storage;

	(void)state;
	s->free_kib = 1023;
	doctor_fails(judge_storage, EXITS_IO,
		     "/state: the file system is full: less than 1 MiB is left", ROOM);
	s->free_kib = 1 << 20;
	s->has_inodes = true;
	s->free_inodes = 15;
	doctor_fails(judge_storage, EXITS_IO, "/state: the file system is full: no inodes are left",
		     ROOM);
	s->step = STORAGE_WRITE;
	s->code = -ENOSPC;
	doctor_fails(judge_storage, EXITS_IO, "/state: the file system is full: no inodes are left",
		     ROOM);
	s->free_kib = 0;
	doctor_fails(judge_storage, EXITS_IO, "/state: the file system is full: no space is left",
		     ROOM);
	s->code = -EDQUOT;
	doctor_fails(judge_storage, EXITS_IO,
		     "/state: the file system is full: the quota is used up", ROOM);
}

static void what_cannot_be_written_to_is_told_with_owner_and_mode(void **state)
{
	struct storage_facts *s = &facts.storage;

	(void)state;
	s->step = STORAGE_CREATE;
	s->code = -EACCES;
	s->uid = 1000;
	s->gid = 1001;
	s->mode = 040700;
	s->tested_uid = 65532;
	doctor_fails(judge_storage, EXITS_NO_PERMISSION,
		     "uid 65532 may not work in /state, which belongs to 1000:1001 with mode 0700",
		     "on the host: chown -R 65532:65532 on the volume; Kubernetes: fsGroup, or "
		     "`wgmesh-init fix-permissions` in an init container");
	s->tested_uid = 0;
	doctor_fails(
		judge_storage, EXITS_NO_PERMISSION,
		"uid 0 may not work in /state, which belongs to 1000:1001 with mode 0700 (root "
		"without CAP_DAC_OVERRIDE)",
		"let root become that user (cap_add: [SETUID, SETGID, CHOWN]), as "
		"wgmesh-init does; or on the host: chown -R 0:0 on the volume");
	s->code = -EROFS;
	doctor_fails(
		judge_storage, EXITS_CANNOT_CREATE, "/state is read-only",
		"mount it without :ro (read_only: true is fine for the container itself, not for "
		"the volume); if it was not mounted so, the disk reported errors: look at dmesg");
	s->step = STORAGE_SYNC;
	s->code = -EIO;
	doctor_fails(judge_storage, EXITS_IO, "/state cannot be synced: Input/output error",
		     "look at the disk or the file server (dmesg on the host)");
}

static void a_directory_that_is_missing_or_shut(void **state)
{
	struct storage_facts *s = &facts.storage;

	(void)state;
	s->step = STORAGE_OPEN;
	s->code = -ENOENT;
	doctor_only(
		judge_storage, REPORT_WARN,
		"/state does not exist; `wgmesh join` makes it, but a container's own layer goes "
		"with the container",
		VOLUME);
	doctor_only(judge_key, REPORT_PASS, "none yet: the first `wgmesh join` makes it", "");
	s->parent = -EACCES;
	doctor_fails(judge_storage, EXITS_CANNOT_CREATE,
		     "/state does not exist and cannot be made: Permission denied", VOLUME);
	s->code = -EACCES;
	s->tested_uid = 7;
	doctor_fails(
		judge_storage, EXITS_NO_PERMISSION,
		"/state cannot be opened by uid 7: Permission denied",
		"make it a directory that the node's user owns (docker: an empty named volume is; "
		"Kubernetes: fsGroup, or `wgmesh-init fix-permissions` in an init container)");
	doctor_only(judge_key, REPORT_SKIP, "the state directory could not be looked into", "");
	s->mode = 040700;
	doctor_fails(
		judge_storage, EXITS_NO_PERMISSION,
		"uid 7 may not work in /state, which belongs to 0:0 with mode 0700",
		"on the host: chown -R 7:7 on the volume; Kubernetes: fsGroup, or `wgmesh-init "
		"fix-permissions` in an init container");
	s->code = -ENOTDIR;
	doctor_judge(judge_storage);
	assert_int_equal(said.lines[0].exit_code, EXITS_CANNOT_CREATE);
}

static void what_only_the_nodes_user_sees_is_not_judged(void **state)
{
	(void)state;
	facts.node.code = -EPROTO;
	facts.storage.step = STORAGE_OPEN;
	facts.storage.code = -EACCES;
	doctor_only(judge_storage, REPORT_SKIP, "only root and the node's own user see /state", "");
	doctor_only(judge_key, REPORT_SKIP, "the state directory could not be looked into", "");
}

static void storage_that_hangs_fails(void **state)
{
	(void)state;
	facts.storage.probe = -ETIMEDOUT;
	doctor_fails(
		judge_storage, EXITS_IO, "/state does not answer: its storage hangs",
		"look at the file server or the disk that is mounted there (dmesg on the host)");
	doctor_only(judge_key, REPORT_SKIP, "the state directory could not be looked into", "");
}

static void a_directory_that_another_node_uses_is_locked(void **state)
{
	struct storage_facts *s = &facts.storage;

	(void)state;
	s->is_held = true;
	(void)snprintf(s->holder, sizeof(s->holder), "node-1, process 7");
	doctor_judge(judge_storage);
	doctor_line(
		0, REPORT_FAIL, "a node uses /state, but does not answer here: node-1, process 7",
		"if it is this node, ask it in its own container, or look at its log; two cannot "
		"share one identity: stop it, or give this one a volume of its own");
	assert_int_equal(said.lines[0].exit_code, EXITS_LOCKED);
	doctor_run_node();
	doctor_judge(judge_storage);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.lines[0].result, REPORT_PASS);
}

static void a_key_is_shown_or_its_damage_is(void **state)
{
	struct storage_facts *s = &facts.storage;

	(void)state;
	doctor_only(judge_key, REPORT_PASS, "none yet: the first `wgmesh join` makes it", "");
	s->key_code = 0;
	s->key_mode = 0100600;
	doctor_only(
		judge_key, REPORT_PASS,
		"wg0.json is good: public key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "");
	assert_int_equal(ip_parse(&s->mesh_ip, "10.7.0.1"), 0);
	doctor_only(judge_key, REPORT_PASS,
		    "wg0.json is good: public key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, "
		    "address 10.7.0.1",
		    "");
	s->key_mode = 0100640;
	doctor_only(judge_key, REPORT_WARN, "others may read the private key (wg0.json, mode 640)",
		    "chmod 600 it");
}

static void each_damage_of_a_key_has_its_exit_code(void **state)
{
	struct storage_facts *s = &facts.storage;

	(void)state;
	(void)snprintf(s->key_text, sizeof(s->key_text), "wg0.json is torn");
	s->key_code = -EBADMSG;
	s->key_exit = EXITS_STATE_DAMAGED;
	doctor_fails(judge_key, EXITS_STATE_DAMAGED, "wg0.json is torn",
		     "`wgmesh state list` and `wgmesh state restore` bring a good one back");
	s->key_code = -EPROTONOSUPPORT;
	s->key_exit = EXITS_POLICY;
	doctor_fails(judge_key, EXITS_POLICY, "wg0.json is torn",
		     "run the newer release of wgmesh that wrote it");
	s->key_code = -EIO;
	s->key_exit = 0;
	doctor_fails(judge_key, EXITS_IO, "wg0.json is torn: Input/output error",
		     "`wgmesh state verify` says more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_directory_that_takes_a_file_passes, doctor_setup),
		cmocka_unit_test_setup(what_pid_1_says_of_the_volume_counts, doctor_setup),
		cmocka_unit_test_setup(what_will_not_last_is_told_without_pid_1_too, doctor_setup),
		cmocka_unit_test_setup(a_disk_is_full_in_several_ways, doctor_setup),
		cmocka_unit_test_setup(what_cannot_be_written_to_is_told_with_owner_and_mode,
				       doctor_setup),
		cmocka_unit_test_setup(a_directory_that_is_missing_or_shut, doctor_setup),
		cmocka_unit_test_setup(what_only_the_nodes_user_sees_is_not_judged, doctor_setup),
		cmocka_unit_test_setup(storage_that_hangs_fails, doctor_setup),
		cmocka_unit_test_setup(a_directory_that_another_node_uses_is_locked, doctor_setup),
		cmocka_unit_test_setup(a_key_is_shown_or_its_damage_is, doctor_setup),
		cmocka_unit_test_setup(each_damage_of_a_key_has_its_exit_code, doctor_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
