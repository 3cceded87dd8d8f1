/* Arguments of a command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"

static const struct ge_flag *find_flag(const struct ge_args *a, const char *arg, size_t len)
{
    for (const struct ge_flag *f = a->flags; f->name != NULL; f++) {
        if (strlen(f->name) == len && memcmp(f->name, arg, len) == 0) return f;
    }
    return NULL;
}

static ge_status set_flag(struct ge_args *a, const struct ge_flag *f, const char *value)
{
    if (f->string != NULL) {
        bool again =
            a->repeatable != NULL && strcmp(a->repeatable, f->name) == 0 && *f->string != NULL;
        *f->string = again ? ge_arena_printf(a->arena, "%s\n%s", *f->string, value) : value;
        return *f->string == NULL ? GE_ENOMEM : GE_OK;
    }
    char *end;
    *f->number = strtol(value, &end, 10);
    if (*value == '\0' || *end != '\0' || *f->number < 0) {
        return ge_fail(GE_EINVAL, "%s %s: wanted a whole number, 0 or more", f->name, value);
    }
    return GE_OK;
}

/* argv[*i] as one of the command's own flags; *found tells. */
static ge_status read_flag(struct ge_args *a, int argc, char **argv, int *i, bool *found)
{
    const char *arg = argv[*i], *equals = strchr(arg, '=');
    size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
    const struct ge_flag *f = find_flag(a, arg, len);
    *found = f != NULL;
    if (f == NULL) return GE_OK;
    if (f->on != NULL) {
        if (equals != NULL) return ge_fail(GE_EINVAL, "%s takes no value", f->name);
        *f->on = true;
        return GE_OK;
    }
    if (equals != NULL) return set_flag(a, f, equals + 1);
    if (*i + 1 >= argc) return ge_fail(GE_EINVAL, "%s needs a value", f->name);
    return set_flag(a, f, argv[++*i]);
}

static ge_status read_override(struct ge_args *a, int argc, char **argv, int *i, bool *found)
{
    *found = false;
    if (!a->job_options) return GE_OK;
    if (a->n_overrides == GE_CLI_OVERRIDES) {
        return ge_fail(GE_EINVAL, "more than %d job settings", GE_CLI_OVERRIDES);
    }
    ge_status rc =
        ge_override_from_args(argc, argv, i, a->arena, found, &a->overrides[a->n_overrides]);
    a->n_overrides += rc == GE_OK && *found;
    return rc;
}

ge_status ge_args_parse(struct ge_args *a, int argc, char **argv)
{
    ge_status rc = GE_OK;
    bool flags_over = false;
    GE_TRY_PTR(a->arena, ge_arena_new());
    for (int i = 1; i < argc; i++) {
        bool found = false;
        if (!flags_over && strcmp(argv[i], "--") == 0) {
            flags_over = true;
            continue;
        }
        if (!flags_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            GE_TRY(read_flag(a, argc, argv, &i, &found));
            if (!found) GE_TRY(read_override(a, argc, argv, &i, &found));
            if (!found) GE_TRY(ge_fail(GE_EINVAL, "unknown option %s", argv[i]));
            continue;
        }
        if (a->n_words == GE_CLI_WORDS) {
            GE_TRY(ge_fail(GE_EINVAL, "more than %d arguments", GE_CLI_WORDS));
        }
        a->words[a->n_words++] = argv[i];
    }
done:
    return rc;
}

void ge_args_free(struct ge_args *a)
{
    ge_arena_delete(&a->arena);
}

int ge_cli_each_path(const char *command, int most, ge_status (*fn)(const char *path), int argc,
                     char **argv)
{
    static const struct ge_flag none[] = {{NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = command, .flags = none};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && (args.n_words < 1 || args.n_words > most)) {
        rc = ge_fail(GE_EINVAL, "wanted %s", most == 1 ? "one path" : "one path or several");
    }
    if (rc != GE_OK) code = ge_cli_usage(command, "%s", ge_error());
    for (int i = 0; i < args.n_words && code != GE_EXIT_USAGE; i++) {
        rc = fn(args.words[i]);
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
