/* The vision transformer (Dosovitskiy et al. 2021) that all image towers share: pixels to patches,
 * tokens in front of them, positions, layers. What a tower makes of the resulting rows is its own.
 * Private to src/model. */
#ifndef GE_MODEL_VIT_H
#define GE_MODEL_VIT_H

#include "model/layers.h"

/* Tensor names; NULL: the family has none. */
struct ge_vit_names {
    const char *patch;       /* convolution (d, 3, patch, patch) */
    const char *positions;   /* (side * side, d), with a row for the class token in front */
    const char *class_token; /* (d) */
    const char *registers;   /* (registers, d) */
    const char *pre_norm, *post_norm;
    const char *layers;
    const struct ge_layer_names *layer;
};

/* The pictures of a pass, on the device: bytes with the table that turns them into numbers, or the
 * numbers themselves. */
struct ge_pictures {
    struct ge_tensor
        pixels; /* (n, height * width * 3) in GE_U8, or (n, 3 * height * width) in GE_F32 */
    struct ge_tensor table; /* (3, 256): what normalising makes of every grey level; for GE_U8 */
};

enum ge_vit_resize {
    GE_VIT_FIXED,    /* the picture's grid must be the stored one */
    GE_VIT_BICUBIC,  /* positions are interpolated to the picture's grid (grid.h) */
    GE_VIT_ANTIALIAS /* the same with antialias */
};

struct ge_vit_config {
    struct ge_layers_config layers;
    size_t patch;         /* pixels of a patch's side */
    size_t image;         /* pixels of the side that the positions were trained for */
    size_t height, width; /* of the pictures, pixels */
    size_t registers;     /* tokens after the class token that have no position */
    bool patch_bias;
    enum ge_vit_resize resize;
};

struct ge_vit {
    struct ge_vit_config config;
    size_t tokens; /* rows of one picture: `first` in front, then the patches */
    size_t first;
    struct ge_linear patch_embedding; /* (d, 3*patch*patch) */
    struct ge_tensor prefix;          /* (first, d): class token with its position, registers */
    struct ge_tensor positions;       /* (patches, d) */
    struct ge_norm pre_norm;          /* where the family has one */
    struct ge_norm post_norm;
    struct ge_layers layers;
};

/* Read patch and image by their common keys; `out` comes in with the class defaults. */
ge_status ge_vit_configure(const struct ge_config *c, struct ge_vit_config *out);

/* The caller frees after a failure, too. */
ge_status ge_vit_load(struct ge_vit *v, const struct ge_vit_config *config,
                      const struct ge_vit_names *names, const struct ge_weights *w);
void ge_vit_free(struct ge_vit *v);
void ge_vit_describe(const struct ge_vit *v, struct ge_jsonw *w); /* an object */

/* n pictures to *x (n * tokens, d), the rows after the last layer and post_norm. */
ge_status ge_vit_run(const struct ge_vit *v, struct ge_workspace *ws, enum ge_dtype dtype,
                     const struct ge_pictures *in, struct ge_tensor *x, struct ge_sequences *s);

/* The same of each picture's class token alone, then `projection` (NULL: none): *out (n, dim). For
 * layers that are picked. */
ge_status ge_vit_run_class(const struct ge_vit *v, struct ge_workspace *ws, enum ge_dtype dtype,
                           const struct ge_pictures *in, const struct ge_linear *projection,
                           struct ge_tensor *out);

/* Bytes of workspace that one picture takes in a pass. */
size_t ge_vit_bytes(const struct ge_vit *v, enum ge_dtype dtype);

#endif
