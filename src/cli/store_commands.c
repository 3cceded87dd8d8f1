/* Commands about finished or running runs: digest, verify, pack, status. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "store/run_dir.h"
#include "store/store.h"

/* ---- digest -------------------------------------------------------------------------------------- */

static ge_status print_digest(const char *path)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_hash digest;
    char hex[GE_HASH_HEX];
    GE_TRY(ge_store_open(path, &run));
    GE_TRY(ge_store_digest(run, &digest));
    ge_hash_hex(digest, hex);
    printf("%s  %s\n", hex, path);
done:
    ge_run_delete(&run);
    return rc;
}

int ge_cmd_digest(int argc, char **argv)
{
    return ge_cli_each_path("digest", GE_CLI_WORDS, print_digest, argc, argv);
}

/* ---- verify ---------------------------------------------------------------------------------------- */

static void print_finding(void *ctx, const struct ge_finding *f)
{
    (void)ctx;
    printf("%s: %s: %s\n", f->fault ? "FAULT" : "note", f->path, f->text);
}

static ge_status verify(const char *path)
{
    uint64_t faults = 0;
    ge_status rc = ge_store_verify(path, print_finding, NULL, &faults);
    if (rc != GE_OK) return rc;
    if (faults > 0) return ge_fail(GE_EFORMAT, "%s: %llu faults", path, (unsigned long long)faults);
    printf("%s: sound\n", path);
    return GE_OK;
}

int ge_cmd_verify(int argc, char **argv)
{
    return ge_cli_each_path("verify", 1, verify, argc, argv);
}

/* ---- pack --------------------------------------------------------------------------------------------- */

/* With the folder's lock, so that a run that is going on is not disturbed. */
static ge_status pack(const char *dir)
{
    ge_status rc = GE_OK;
    struct ge_rundir *d = NULL;
    struct ge_rundir_options options = {.dir = dir, .lock_stale_s = 60};
    if (!ge_fs_is_dir(dir)) GE_TRY(ge_fail(GE_ENOENT, "%s: not a run folder", dir));
    GE_TRY(ge_rundir_open(&options, &d));
    GE_TRY(ge_store_pack(dir));
done:
    ge_rundir_close(&d, rc == GE_OK ? GE_EXIT_DONE : GE_EXIT_FAILED);
    return rc;
}

int ge_cmd_pack(int argc, char **argv)
{
    return ge_cli_each_path("pack", 1, pack, argc, argv);
}

/* ---- status --------------------------------------------------------------------------------------------- */

static ge_status print_status(const char *dir)
{
    ge_status rc = GE_OK;
    char *path = NULL;
    ge_json *doc = NULL;
    GE_TRY_PTR(path, ge_fs_join(dir, "status"));
    GE_TRY(ge_json_read(path, &doc));
    printf("%s: %s, %.0f of %.0f chunks, %.0f failures, updated %s\n", dir,
           ge_json_string(ge_json_get(doc, "state"), "?"),
           ge_json_number(ge_json_get(doc, "chunks_done"), 0),
           ge_json_number(ge_json_get(doc, "chunks"), 0),
           ge_json_number(ge_json_get(doc, "failures"), 0),
           ge_json_string(ge_json_get(doc, "updated"), "?"));
done:
    ge_json_delete(&doc);
    free(path);
    return rc;
}

int ge_cmd_status(int argc, char **argv)
{
    return ge_cli_each_path("status", 1, print_status, argc, argv);
}
