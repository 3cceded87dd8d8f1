/* Reading an image processor's JSON: the defaults of its class, then the file's keys. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "image/preprocess.h"

enum { MAX_SIDE = 8192 };

#define OPENAI_MEAN                                                                                \
    {                                                                                              \
        0.48145466, 0.4578275, 0.40821073                                                          \
    }
#define OPENAI_STD                                                                                 \
    {                                                                                              \
        0.26862954, 0.26130258, 0.27577711                                                         \
    }
#define HALF                                                                                       \
    {                                                                                              \
        0.5, 0.5, 0.5                                                                              \
    }

/* Defaults of a class of transformers' image processors, by the name without "ImageProcessor" (or
 * the old "FeatureExtractor") and by config.json's model_type for files that name no class. */
struct family {
    const char *name, *model_type;
    int shortest_edge; /* 0: scale to 224 x 224 exactly */
    bool square;       /* a bare number as size means both sides */
    bool do_center_crop;
    enum ge_resample resample;
    double mean[3], std[3];
};

static const struct family families[] = {
    {"CLIP", "clip", 224, false, true, GE_RESAMPLE_BICUBIC, OPENAI_MEAN, OPENAI_STD},
    {"Bit", "dinov2", 224, false, true, GE_RESAMPLE_BICUBIC, OPENAI_MEAN, OPENAI_STD},
    {"Siglip", "siglip", 0, false, false, GE_RESAMPLE_BICUBIC, HALF, HALF},
    {"ViT", "vit", 0, true, false, GE_RESAMPLE_BILINEAR, HALF, HALF},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* Keys that say nothing about pixels, or that are read elsewhere in this file. */
static const char *const known_keys[] = {"image_processor_type",
                                         "feature_extractor_type",
                                         "processor_class",
                                         "_valid_processor_keys",
                                         "return_tensors",
                                         "device",
                                         "disable_grouping",
                                         "image_seq_length",
                                         "backend",
                                         "default_to_square",
                                         "do_resize",
                                         "size",
                                         "resample",
                                         "do_center_crop",
                                         "crop_size",
                                         "do_rescale",
                                         "rescale_factor",
                                         "do_normalize",
                                         "image_mean",
                                         "image_std",
                                         "do_convert_rgb",
                                         "data_format",
                                         "input_data_format"};

/* The object being read and its file, for messages. */
struct config {
    const ge_json *object;
    const char *file;
};

/* A key's node; NULL when it is absent or null, which both mean the class default. */
static const ge_json *get(const struct config *c, const char *key)
{
    const ge_json *n = ge_json_get(c->object, key);
    return n != NULL && ge_json_type(n) == GE_JSON_NULL ? NULL : n;
}

static ge_status wrong_type(const struct config *c, const char *key, const ge_json *n,
                            const char *wanted)
{
    return ge_fail(GE_EFORMAT, "%s: \"%s\" is of type %s, wanted %s", c->file, key,
                   ge_json_type_name(ge_json_type(n)), wanted);
}

static ge_status read_bool(const struct config *c, const char *key, bool *out)
{
    const ge_json *n = get(c, key);
    if (n == NULL) return GE_OK;
    if (ge_json_type(n) != GE_JSON_BOOL) return wrong_type(c, key, n, "true or false");
    *out = ge_json_bool(n, false);
    return GE_OK;
}

static ge_status read_side(const struct config *c, const char *what, const ge_json *n, int *out)
{
    int64_t v;
    ge_status rc = ge_json_int(n, what, 1, MAX_SIDE, &v);
    if (rc != GE_OK) return ge_fail_in(rc, "%s", c->file);
    *out = (int)v;
    return GE_OK;
}

/* ---- size and crop_size ------------------------------------------------------------------ */

struct size {
    int shortest_edge; /* 0: height and width */
    int height, width;
};

/* {"height": h, "width": w} or {"shortest_edge": s}, with no other key that says something. */
static ge_status read_size_object(const struct config *c, const char *key, const ge_json *n,
                                  struct size *out)
{
    ge_status rc = GE_OK;
    struct size s = {0};
    for (const ge_json *m = ge_json_first(n); m != NULL; m = ge_json_next(m)) {
        const char *name = ge_json_key(m);
        if (ge_json_type(m) == GE_JSON_NULL) continue;
        if (strcmp(name, "height") == 0)
            GE_TRY(read_side(c, key, m, &s.height));
        else if (strcmp(name, "width") == 0)
            GE_TRY(read_side(c, key, m, &s.width));
        else if (strcmp(name, "shortest_edge") == 0)
            GE_TRY(read_side(c, key, m, &s.shortest_edge));
        else
            return ge_fail(GE_EUNSUPPORTED,
                           "%s: \"%s\" has \"%s\"; only height with width, or shortest_edge, is "
                           "handled",
                           c->file, key, name);
    }
    bool exact = s.height > 0 && s.width > 0, none = s.height == 0 && s.width == 0;
    if (!(s.shortest_edge > 0 ? none : exact))
        return ge_fail(GE_EFORMAT, "%s: \"%s\" wants height and width, or shortest_edge alone",
                       c->file, key);
    *out = s;
done:
    return rc;
}

static ge_status read_size(const struct config *c, const char *key, bool square, struct size *out)
{
    ge_status rc = GE_OK;
    const ge_json *n = get(c, key);
    if (n == NULL) return GE_OK;
    struct size s = {0};
    switch (ge_json_type(n)) {
    case GE_JSON_OBJECT:
        return read_size_object(c, key, n, out);
    case GE_JSON_NUMBER:
        GE_TRY(read_side(c, key, n, square ? &s.height : &s.shortest_edge));
        s.width = s.height;
        break;
    case GE_JSON_ARRAY:
        if (ge_json_count(n) != 2) return wrong_type(c, key, n, "two numbers");
        GE_TRY(read_side(c, key, ge_json_first(n), &s.height));
        GE_TRY(read_side(c, key, ge_json_next(ge_json_first(n)), &s.width));
        break;
    default:
        return wrong_type(c, key, n, "a number, two numbers or an object");
    }
    *out = s;
done:
    return rc;
}

/* ---- the other keys ---------------------------------------------------------------------- */

/* One number for all channels, or three. */
static ge_status read_channels(const struct config *c, const char *key, bool nonzero, double v[3])
{
    const ge_json *n = get(c, key);
    if (n == NULL) return GE_OK;
    const ge_json *item = n;
    bool list = ge_json_type(n) == GE_JSON_ARRAY;
    if (list) {
        if (ge_json_count(n) != 3) return wrong_type(c, key, n, "three numbers");
        item = ge_json_first(n);
    }
    for (int i = 0; i < 3; i++) {
        if (ge_json_type(item) != GE_JSON_NUMBER) return wrong_type(c, key, item, "three numbers");
        double x = ge_json_number(item, NAN);
        if (!isfinite((float)x) || (nonzero && (float)x == 0))
            return ge_fail(GE_EFORMAT, "%s: \"%s\" holds %g, wanted a finite number%s", c->file,
                           key, x, nonzero ? " other than 0" : "");
        v[i] = x;
        if (list) item = ge_json_next(item);
    }
    return GE_OK;
}

static ge_status read_resample(const struct config *c, enum ge_resample *out)
{
    const ge_json *n = get(c, "resample");
    int64_t code;
    if (n == NULL) return GE_OK;
    ge_status rc = ge_json_int(n, "resample", 0, 5, &code);
    if (rc != GE_OK) return ge_fail_in(rc, "%s", c->file);
    if (ge_resample_name((int)code) == NULL)
        return ge_fail(GE_EUNSUPPORTED, "%s: \"resample\" is %d (hamming), which is not handled",
                       c->file, (int)code);
    *out = (enum ge_resample)code;
    return GE_OK;
}

static ge_status read_rescale(const struct config *c, double *out)
{
    const ge_json *n = get(c, "rescale_factor");
    if (n == NULL) return GE_OK;
    if (ge_json_type(n) != GE_JSON_NUMBER) return wrong_type(c, "rescale_factor", n, "a number");
    *out = ge_json_number(n, NAN);
    if (!isfinite((float)*out) || !isfinite((float)(*out * 255)))
        return ge_fail(GE_EFORMAT, "%s: \"rescale_factor\" is %g, wanted a finite number", c->file,
                       *out);
    return GE_OK;
}

/* Any other key may change pixels in a way that we do not know: refuse it unless it is off. */
static ge_status check_keys(const struct config *c)
{
    for (const ge_json *m = ge_json_first(c->object); m != NULL; m = ge_json_next(m)) {
        bool known = false;
        const char *key = ge_json_key(m);
        for (size_t i = 0; i < sizeof known_keys / sizeof known_keys[0] && !known; i++)
            known = strcmp(key, known_keys[i]) == 0;
        enum ge_json_type type = ge_json_type(m);
        bool off = type == GE_JSON_NULL || (type == GE_JSON_BOOL && !ge_json_bool(m, true));
        if (!known && !off)
            return ge_fail(GE_EUNSUPPORTED,
                           "%s: \"%s\" is not handled and may change the pixels; remove it if it "
                           "does not",
                           c->file, key);
    }
    bool convert = true;
    ge_status rc = read_bool(c, "do_convert_rgb", &convert);
    if (rc != GE_OK) return rc;
    if (!convert)
        return ge_fail(GE_EUNSUPPORTED, "%s: \"do_convert_rgb\" is false; only true is handled",
                       c->file);
    const char *layout = ge_json_string(get(c, "data_format"), "channels_first");
    if (strcmp(layout, "channels_first") != 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: \"data_format\" is \"%s\"; only \"channels_first\" is "
                       "handled",
                       c->file, layout);
    return GE_OK;
}

/* ---- class ------------------------------------------------------------------------------- */

/* True for "<name>ImageProcessor", that with "Fast" or "Pil", and "<name>FeatureExtractor". */
static bool is_class(const char *class, const char *name)
{
    static const char *const endings[] = {"ImageProcessor", "ImageProcessorFast",
                                          "ImageProcessorPil", "FeatureExtractor"};
    size_t n = strlen(name);
    if (strncmp(class, name, n) != 0) return false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(class + n, endings[i]) == 0) return true;
    return false;
}

/* model_type of the folder's config.json into *doc's memory; "" if there is none. */
static ge_status read_model_type(const char *folder, ge_json **doc, const char **out)
{
    *out = "";
    char *path = ge_fs_join(folder, "config.json");
    if (path == NULL) return GE_ENOMEM;
    ge_status rc = ge_fs_exists(path) ? ge_json_read(path, doc) : GE_OK;
    free(path);
    if (rc == GE_OK && *doc != NULL) *out = ge_json_string(ge_json_get(*doc, "model_type"), "");
    return rc;
}

static ge_status find_family(const struct config *c, const char *folder, const struct family **out)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    const char *type = "";
    const char *class = ge_json_string(get(c, "image_processor_type"), NULL);
    if (class == NULL) class = ge_json_string(get(c, "feature_extractor_type"), NULL);
    if (class == NULL) GE_TRY(read_model_type(folder, &doc, &type));
    *out = NULL;
    if (class != NULL ? is_class(class, "Siglip2") : strcmp(type, "siglip2") == 0) {
        rc =
            ge_fail(GE_EUNSUPPORTED,
                    "%s: image processor \"%s\" (NaFlex) cuts each picture into patches of its own "
                    "number, which is not handled; take a SigLIP 2 model of fixed resolution",
                    c->file, class != NULL ? class : "siglip2");
        goto done;
    }
    for (int i = 0; i < FAMILIES && *out == NULL; i++) {
        const struct family *f = &families[i];
        if (class != NULL ? is_class(class, f->name) : strcmp(type, f->model_type) == 0) *out = f;
    }
    if (*out == NULL)
        rc = ge_fail(GE_EUNSUPPORTED,
                     "%s: image processor \"%s\" is not handled; known are those of CLIP, SigLIP, "
                     "BiT (DINOv2) and ViT",
                     c->file, class != NULL ? class : type);
done:
    ge_json_delete(&doc);
    return rc;
}

/* ---- settings that do not go together ----------------------------------------------------- */

static ge_status check_together(const struct config *c, const struct ge_preprocess *p)
{
    float table[3][256];
    if (p->sw.resize == GE_RESIZE_TORCHVISION && p->do_resize && p->resample == GE_RESAMPLE_BOX)
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: \"resample\" is 4 (box), which torchvision does not have; use the "
                       "resize \"pil\"",
                       c->file);
    ge_preprocess_table(p, table);
    for (int i = 0; i < 3 * 256; i++)
        if (!isfinite(table[i / 256][i % 256]))
            return ge_fail(GE_EFORMAT,
                           "%s: \"rescale_factor\", \"image_mean\" and \"image_std\" turn grey "
                           "level %d into a number that float32 does not hold",
                           c->file, i % 256);
    return GE_OK;
}

/* ---- all together ------------------------------------------------------------------------ */

/* Sizes of the steps and of the result. */
static ge_status read_geometry(const struct config *c, const struct family *f,
                               struct ge_preprocess *p)
{
    ge_status rc = GE_OK;
    bool square = f->square;
    struct size size = {.shortest_edge = f->shortest_edge, .height = 224, .width = 224};
    struct size cut = {.height = 224, .width = 224};
    p->do_resize = true;
    p->do_center_crop = f->do_center_crop;
    GE_TRY(read_bool(c, "do_resize", &p->do_resize));
    GE_TRY(read_bool(c, "do_center_crop", &p->do_center_crop));
    GE_TRY(read_bool(c, "default_to_square", &square));
    GE_TRY(read_size(c, "size", square, &size));
    GE_TRY(read_size(c, "crop_size", true, &cut));
    if (p->do_center_crop && cut.shortest_edge > 0)
        return ge_fail(GE_EFORMAT, "%s: \"crop_size\" wants height and width", c->file);
    if (!p->do_center_crop && !(p->do_resize && size.shortest_edge == 0))
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: the result's size would depend on the picture; do_center_crop, or "
                       "do_resize with height and width, is wanted",
                       c->file);
    p->shortest_edge = size.shortest_edge;
    p->resize_height = size.shortest_edge > 0 ? 0 : size.height;
    p->resize_width = size.shortest_edge > 0 ? 0 : size.width;
    p->height = p->do_center_crop ? cut.height : size.height;
    p->width = p->do_center_crop ? cut.width : size.width;
done:
    return rc;
}

static ge_status read_config(const struct config *c, const char *folder, struct ge_preprocess *p)
{
    ge_status rc = GE_OK;
    const struct family *f;
    if (ge_json_type(c->object) != GE_JSON_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: the image processor's settings are not an object", c->file);
    GE_TRY(find_family(c, folder, &f));
    GE_TRY(check_keys(c));
    GE_TRY(read_geometry(c, f, p));
    p->resample = f->resample;
    GE_TRY(read_resample(c, &p->resample));
    p->do_rescale = p->do_normalize = true;
    p->rescale_factor = 1.0 / 255;
    GE_TRY(read_bool(c, "do_rescale", &p->do_rescale));
    GE_TRY(read_rescale(c, &p->rescale_factor));
    GE_TRY(read_bool(c, "do_normalize", &p->do_normalize));
    memcpy(p->mean, f->mean, sizeof p->mean);
    memcpy(p->std, f->std, sizeof p->std);
    GE_TRY(read_channels(c, "image_mean", false, p->mean));
    GE_TRY(read_channels(c, "image_std", true, p->std));
    GE_TRY(check_together(c, p));
done:
    return rc;
}

ge_status ge_preprocess_load(const char *folder, const struct ge_preprocess_switches *sw,
                             struct ge_preprocess *out)
{
    ge_status rc = GE_OK;
    ge_json *nested = NULL, *plain = NULL;
    char *nested_path = NULL, *plain_path = NULL;
    struct config c = {0};
    struct ge_preprocess p = {0};
    GE_TRY_PTR(nested_path, ge_fs_join(folder, "processor_config.json"));
    GE_TRY_PTR(plain_path, ge_fs_join(folder, "preprocessor_config.json"));
    if (ge_fs_exists(nested_path)) {
        GE_TRY(ge_json_read(nested_path, &nested));
        c = (struct config){.object = nested, .file = nested_path};
        c.object = get(&c, "image_processor");
    }
    if (c.object == NULL) {
        if (!ge_fs_exists(plain_path)) {
            rc = ge_fail(GE_ENOENT,
                         "%s: neither preprocessor_config.json nor a processor_config.json with "
                         "\"image_processor\" is there; an image encoder's folder wants one",
                         folder);
            goto done;
        }
        GE_TRY(ge_json_read(plain_path, &plain));
        c = (struct config){.object = plain, .file = plain_path};
    }
    if (sw != NULL)
        p.sw = *sw;
    else
        ge_preprocess_switches_init(&p.sw);
    GE_TRY(read_config(&c, folder, &p));
    *out = p;
done:
    ge_json_delete(&nested);
    ge_json_delete(&plain);
    free(nested_path);
    free(plain_path);
    return rc;
}
