/* Position embeddings of a square grid of patches for a grid of another size: bicubic interpolation as
 * torch.nn.functional.interpolate() does it with align_corners = False. Private to src/model; local. */
#ifndef GE_MODEL_GRID_H
#define GE_MODEL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* in (side * side, d), row-major over the grid, to out (rows * cols, d).
 * Without antialias: Keys' kernel with a = -0.75 over four taps, edges repeated. With it: a = -0.5,
 * widened by the scale where the grid shrinks, taps beyond the edge left out and the rest
 * normalised. Sums in double, rounded once. GE_ENOMEM, GE_ELIMIT. */
ge_status ge_grid_resize(const float *in, size_t side, size_t d, bool antialias, size_t rows,
                         size_t cols, float *out);

#endif
