#include "model/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

ge_status ge_config_read(const char *folder, const char *name, bool optional, struct ge_hasher *h,
                         ge_json **doc)
{
    char *path = NULL, *text = NULL;
    size_t len;
    ge_status rc = GE_OK;

    *doc = NULL;
    GE_TRY_PTR(path, ge_fs_join(folder, name));
    if (optional && !ge_fs_exists(path)) goto done;
    GE_TRY(ge_fs_read(path, GE_JSON_MAX_BYTES, &text, &len));
    GE_TRY(ge_json_parse(text, len, path, doc));
    ge_hasher_add_str(h, name);
    ge_hasher_add_u64(h, len);
    ge_hasher_add(h, text, len);
done:
    free(text);
    free(path);
    return rc;
}

/* The value, or NULL for the default. */
static const ge_json *lookup(const struct ge_config *c, const char *key)
{
    const ge_json *v = ge_json_get(c->json, key);

    return v != NULL && ge_json_type(v) != GE_JSON_NULL ? v : NULL;
}

ge_status ge_config_size(const struct ge_config *c, const char *key, size_t def, size_t min,
                         size_t max, size_t *out)
{
    const ge_json *v = lookup(c, key);
    int64_t n;

    *out = def;
    if (v == NULL) return GE_OK;
    if (ge_json_int(v, key, (int64_t)min, (int64_t)max, &n) != GE_OK)
        return ge_fail(GE_EFORMAT, "%s: %s%s: wanted a whole number from %zu to %zu", c->file,
                       c->section, key, min, max);
    *out = (size_t)n;
    return GE_OK;
}

ge_status ge_config_float(const struct ge_config *c, const char *key, double def, double min,
                          double max, float *out)
{
    const ge_json *v = lookup(c, key);
    double x = def;

    if (v != NULL) {
        x = ge_json_number(v, min - 1);
        if (!(x >= min && x <= max))
            return ge_fail(GE_EFORMAT, "%s: %s%s: wanted a number from %g to %g", c->file,
                           c->section, key, min, max);
    }
    *out = (float)x;
    return GE_OK;
}

ge_status ge_config_bool(const struct ge_config *c, const char *key, bool def, bool *out)
{
    const ge_json *v = lookup(c, key);

    *out = ge_json_bool(v, def);
    if (v != NULL && ge_json_type(v) != GE_JSON_BOOL)
        return ge_fail(GE_EFORMAT, "%s: %s%s: wanted true or false", c->file, c->section, key);
    return GE_OK;
}

ge_status ge_config_activation(const struct ge_config *c, const char *key, const char *def,
                               enum ge_activation *out)
{
    static const struct {
        const char *name;
        enum ge_activation act;
    } known[] = {{"quick_gelu", GE_ACT_QUICK_GELU},
                 {"gelu", GE_ACT_GELU},
                 {"gelu_pytorch_tanh", GE_ACT_GELU_TANH},
                 {"gelu_new", GE_ACT_GELU_TANH},
                 {"gelu_fast", GE_ACT_GELU_TANH},
                 {"silu", GE_ACT_SILU},
                 {"swish", GE_ACT_SILU},
                 {"relu", GE_ACT_RELU},
                 {"tanh", GE_ACT_TANH}};
    const ge_json *v = lookup(c, key);
    const char *name = v != NULL ? ge_json_string(v, "") : def;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            *out = known[i].act;
            return GE_OK;
        }
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: %s%s: activation \"%s\" is not handled; known: quick_gelu, gelu, "
                   "gelu_pytorch_tanh, gelu_new, gelu_fast, silu, swish, relu, tanh",
                   c->file, c->section, key, name);
}
