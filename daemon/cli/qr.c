/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/qrtext.h"
#include "daemon/cli/terminal.h"
#include "daemon/cli/text.h"
#include "daemon/config.h"

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define URI_HEAD "wgmesh://v1/"
#define URI_SIZE (sizeof(URI_HEAD) + SECRET_MAX)

static const struct cli_usage usage = {
	.name = "wgmesh qr",
	.synopsis = "[--secret-file FILE]",
	.about =
		"Shows the mesh secret as a QR code, to carry it to another machine by its camera. Whoever\n"
		"sees the code can join: clear the screen afterwards.\n\n"
		"  wgmesh qr --secret-file /run/secrets/mesh_secret; read _; clear\n\n"
		"Exit code: 0, 1 when the code does not fit the terminal, 64 without a usable secret.\n",
	.scope = SCOPE_QR,
};

/* As a URI, or bare where a URI would stand for another secret: '?' begins what is ignored there. */
static void secret_uri(char uri[static URI_SIZE], const struct secret *secret)
{
	struct str_out t = { .out = uri, .size = URI_SIZE };
	struct secret again;

	str_add(&t, URI_HEAD "%s", secret->text);
	if (secret_parse(&again, uri, strlen(uri), NULL) < 0 || again.len != secret->len ||
	    memcmp(again.text, secret->text, secret->len) != 0)
		(void)str_copy(uri, URI_SIZE, secret->text);
	secret_wipe(&again);
}

/* Without stdio, whose buffer nobody wipes. */
static int print_code(const QRcode *code, bool is_coloured, struct err *e)
{
	struct str_out t = { .size = qrtext_size((size_t)code->width) };
	int r;

	t.out = malloc(t.size);
	if (!t.out)
		return err_set(e, -ENOMEM, "draw the code");
	qrtext_put(&t, code->data, (size_t)code->width, is_coloured);
	r = io_write_full(STDOUT_FILENO, t.out, t.len);
	crypto_wipe(t.out, t.size);
	free(t.out);
	return r < 0 ? err_exit(e, EXITS_IO, r, "write the code") : 0;
}

static int show(const QRcode *code, struct err *e)
{
	size_t needed = qrtext_columns((size_t)code->width);
	struct terminal t;

	terminal_look(&t);
	if (t.can_move && t.columns < needed)
		return err_exit(
			e, EXITS_FAILURE, -EMSGSIZE,
			"the code is %zu columns wide, and this terminal %zu: make it wider, "
			"or its letters smaller",
			needed, t.columns);
	return print_code(code, t.can_move, e);
}

static int encode(const struct secret *secret, struct err *e)
{
	char uri[URI_SIZE];
	QRcode *code;
	int r;

	secret_uri(uri, secret);
	code = QRcode_encodeData((int)strlen(uri), (const unsigned char *)uri, 0, QR_ECLEVEL_L);
	r = code ? 0 : -errno;
	crypto_wipe(uri, sizeof(uri));
	if (!code)
		return err_exit(
			e, EXITS_USAGE, r,
			"no QR code holds a secret of %zu bytes; make one with `wgmesh init "
			"--secret`",
			secret->len);
	r = show(code, e);
	crypto_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return r;
}

static void explain(const struct secret *secret)
{
	char id[MESH_ID_SIZE];
	struct mesh_keys keys;

	derive_keys(&keys, secret);
	derive_mesh_id(id, &keys);
	derive_keys_wipe(&keys);
	(void)printf("This is the secret of mesh %s, as `wgmesh init --secret` prints it: whoever "
		     "sees the code can join.\n",
		     id);
}

int cli_qr(int argc, char **argv)
{
	struct secret secret = { 0 };
	struct settings s;
	struct err e = { 0 };
	int code = EXITS_OK;
	int first = cli_parse(&s, &usage, argc, argv, &code);

	if (first < 0)
		return code;
	if (first < argc)
		return cli_usage_error("qr takes no argument, but got %zu bytes",
				       strlen(argv[first]));
	if (config_secret(&secret, &s, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	if (encode(&secret, &e) < 0)
		code = cli_fail(&e, EXITS_FAILURE);
	else
		explain(&secret);
	secret_wipe(&secret);
	return code;
}
