/* CLIPScore (Hessel et al. 2021, arXiv 2104.08718) and what other tools publish under that name, each
 * in its dialect, from cosines of CLIP embeddings. Knows no encoder: score/compare.c embeds and
 * calls. Pure; thread-safe. */
#ifndef GE_METRIC_CLIPSCORE_H
#define GE_METRIC_CLIPSCORE_H

/* What jmhessel/clipscore puts in front of every text, candidates and references alike. */
#define GE_CLIPSCORE_PREFIX "A photo depicts "

/* jmhessel/clipscore: 2.5 · max(cosine, 0), of the prefixed text and the image; 0 to 2.5. */
double ge_clipscore_25(double cosine);

/* torchmetrics: 100 · cosine, of the text as it is; -100 to 100. torchmetrics clamps the mean over a
 * corpus at 0, not the samples; HELM, which asks it for one sample at a time, thereby each one. */
double ge_clipscore_100(double cosine);

/* RefCLIPScore of jmhessel/clipscore: harmonic mean of clipscore.2.5 and the largest cosine of the
 * prefixed answer and a prefixed reference. The reference code leaves that cosine unclamped, so the
 * value is unbounded below where the two nearly cancel; NaN where the mean is not defined (0/0, or a
 * sum of 0). At most 10/7. */
double ge_refclipscore_25(double clipscore, double reference_cosine);

#endif
