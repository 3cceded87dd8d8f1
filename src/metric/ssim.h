/* Structural similarity of two pictures (Wang et al., IEEE Trans. Image Process. 13, 2004, 600), in the
 * dialects of the tools that people quote. Pure; thread-safe. */
#ifndef GE_METRIC_SSIM_H
#define GE_METRIC_SSIM_H

#include "base/status.h"
#include "image/image.h"

enum ge_ssim {
    GE_SSIM_SKIMAGE,     /* scikit-image: 7 x 7 mean, sample covariance, border of 3 left out */
    GE_SSIM_TORCHMETRICS /* Gaussian of sigma 1.5 over 11 x 11, reflected border, all pixels */
};

/* SSIM of two pictures of one size, the mean over R, G and B, in *value, [-1, 1]. Data range 255,
 * K1 = .01, K2 = .03. Of two sizes: GE_EINVAL. A side below 7 pixels (skimage) or 6 (torchmetrics):
 * NaN. GE_ENOMEM. */
ge_status ge_ssim(const struct ge_image *a, const struct ge_image *b, enum ge_ssim dialect,
                  double *value);

#endif
