/* Typed, bounded reading of a model's JSON files: class defaults for what is absent, messages that
 * name file, key, found and wanted. Private to src/model. */
#ifndef GE_MODEL_CONFIG_H
#define GE_MODEL_CONFIG_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/json.h"
#include "device/device.h"

/* An object of a configuration and where it stands. */
struct ge_config {
    const ge_json *json; /* NULL: everything is default */
    const char *file;    /* path */
    const char *section; /* "text_config." or "" */
};

/* Parse `folder`/`name` and feed its bytes to `h`. With `optional`, a missing file gives
 * *doc = NULL and GE_OK. GE_EFORMAT if it is not an object or array as JSON. */
ge_status ge_config_read(const char *folder, const char *name, bool optional, struct ge_hasher *h,
                         ge_json **doc);

/* Whole number in [min, max]; absent or null: `def`. GE_EFORMAT. */
ge_status ge_config_size(const struct ge_config *c, const char *key, size_t def, size_t min,
                         size_t max, size_t *out);
ge_status ge_config_float(const struct ge_config *c, const char *key, double def, double min,
                          double max, float *out);
ge_status ge_config_bool(const struct ge_config *c, const char *key, bool def, bool *out);

/* A hidden_act name. GE_EUNSUPPORTED lists the known ones. */
ge_status ge_config_activation(const struct ge_config *c, const char *key, const char *def,
                               enum ge_activation *out);

/* Limits on what a configuration may ask for. */
enum {
    GE_MAX_WIDTH = 1 << 16,
    GE_MAX_LAYERS = 1024,
    GE_MAX_VOCAB = 1 << 24,
    GE_MAX_POSITIONS = 1 << 20,
    GE_MAX_IMAGE = 8192
};

#endif
